"""Numbered SQL files: data only."""
