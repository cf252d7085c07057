"""Recordings of calls, here and at the carrier."""
