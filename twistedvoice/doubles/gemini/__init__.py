"""The Gemini Live API, played: it listens, speaks, calls functions, and fails."""
