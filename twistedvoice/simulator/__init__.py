"""The carrier's side of the wire: places calls, plays sound, listens."""
