"""Sample prompts: data only."""
