"""What agents share that a model elsewhere speaks for: all but the words of its API."""
