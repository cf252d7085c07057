"""Tests of the agent that talks by three services."""
