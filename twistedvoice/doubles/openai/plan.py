# -*- test-case-name: tests.doubles.openai.test_session -*-
"""What only OpenAI's double will do."""

from __future__ import annotations

from attrs import define

from ..plan import VoicePlan

__all__ = ["Plan"]


@define(kw_only=True)
class Plan(VoicePlan):
    """How one double behaves, for all its sessions; may be changed at any time."""

    key: str = "sk-double"
    #: How long a session may last.
    lifetime_seconds: float = 3600.0
    #: What every ``rate_limits.updated`` says.
    remaining_tokens: int = 10_000
    reset_seconds: float = 0.0
