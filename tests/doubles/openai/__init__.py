"""Tests of the double of OpenAI."""
