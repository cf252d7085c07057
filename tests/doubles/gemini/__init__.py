"""Tests of the double of Gemini."""
