"""Tests for what people do with finished recordings."""
