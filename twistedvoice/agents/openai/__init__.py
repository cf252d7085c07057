"""The agent that talks with OpenAI's Realtime API."""
