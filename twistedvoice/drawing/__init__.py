"""What the pictures of calls have in common; needs matplotlib (extra ``plot``)."""
