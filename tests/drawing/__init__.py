"""Tests for what the pictures of calls share."""
