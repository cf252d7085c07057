# -*- test-case-name: tests.doubles.gemini.test_session -*-
"""What only Gemini's double will do."""

from __future__ import annotations

from attrs import define

from ..plan import VoicePlan

__all__ = ["Plan"]


@define(kw_only=True)
class Plan(VoicePlan):
    """How one double behaves, for all its sessions; may be changed at any time."""

    key: str = "gemini-double"
    #: Other models are not found.
    model: str | None = None
    #: How long a connection may last, and how long before that it says so.
    lifetime_seconds: float = 600.0
    notice_seconds: float = 10.0
    #: How long a session may last that does not compress what it remembers.
    uncompressed_seconds: float = 900.0
    #: How long a handle is good for.
    handle_seconds: float = 7200.0
    #: Handles are refused all the same.
    refuses_handles: bool = False
    #: Whether JSON comes in binary messages.
    binary: bool = True
    #: Whether it waits, at the end of a turn, until its sound was played.
    waits_for_playback: bool = True
    #: Whether it says when the caller begins to speak.
    tells_activity: bool = False
