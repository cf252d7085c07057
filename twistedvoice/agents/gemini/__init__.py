"""The agent that talks with the Gemini Live API."""
