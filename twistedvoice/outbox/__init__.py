"""What is done after a call, at least once."""
