"""The voices that answer calls."""
