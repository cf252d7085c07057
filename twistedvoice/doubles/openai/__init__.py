"""OpenAI's Realtime API, played: it listens, speaks, calls functions, and fails."""
