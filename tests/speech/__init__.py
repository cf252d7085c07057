"""Tests of what hears and speaks."""
