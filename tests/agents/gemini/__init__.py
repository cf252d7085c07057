"""Tests of the agent that talks with Gemini."""
