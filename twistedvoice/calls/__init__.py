"""Live calls: their life, their marks, their places, their ends."""
