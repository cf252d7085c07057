"""Tests of what is done after a call."""
