"""Does what must be done after a call, however often it takes."""
