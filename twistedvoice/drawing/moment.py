# -*- test-case-name: tests.simulator.test_moments -*-
"""A moment of a call that is worth a word in its picture."""

from __future__ import annotations

from attrs import frozen

__all__ = ["Moment"]


@frozen
class Moment:
    """A label at a time."""

    at_ms: float
    text: str
    #: How it is meant: ``plain``, ``quiet`` for what is only of interest to experts,
    #: ``sharp`` for a cut, ``wrong`` for what should not be.
    tone: str = "plain"
