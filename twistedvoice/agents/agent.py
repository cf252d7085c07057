# -*- test-case-name: tests.agents.test_agent -*-
"""The base of every agent: says nothing, whatever it is told.

An author overrides the methods that matter. Each agent class can turn the settings of
its section of the configuration into a factory, once, when the service starts; what is
slow (reading prompts, loading a model) belongs there and not into a call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from pathlib import Path

from ..errors import ConfigError
from ..interfaces import AgentFactory, CallControl

__all__ = ["Agent"]


class Agent:
    """
    A voice that says nothing, and hangs up when the call must end.

    See :class:`twistedvoice.interfaces.Agent` for what each method is told and when.
    """

    #: The call of this agent; set before ``call_started``.
    call: CallControl

    @classmethod
    def configure(cls, settings: Mapping[str, object], folder: Path) -> AgentFactory:
        """
        Make the factory that builds one agent for each call.

        :param settings: the agent's own section of the configuration.
        :param folder: where relative paths in ``settings`` start.
        :raises ConfigError: naming every setting that is wrong.
        """
        if settings:
            raise ConfigError(
                [f"{key}: {cls.__name__} has no settings" for key in sorted(settings)]
            )
        return cls

    def call_started(self, call: CallControl) -> Awaitable[object] | None:
        """The caller is on the line."""
        return None

    def audio_heard(self, payload: bytes, timestamp_ms: int) -> None:
        """The caller's sound came in."""

    def digit_pressed(self, digit: str) -> Awaitable[object] | None:
        """The caller pressed a key."""
        return None

    def mark_reached(self, name: str, outcome: str) -> Awaitable[object] | None:
        """A mark was resolved."""
        return None

    def interrupted(self, reason: str) -> Awaitable[object] | None:
        """What was being said is cut off."""
        return None

    def must_end(self, reason: str) -> Awaitable[object] | None:
        """The call has lasted or cost as much as it may: hang up."""
        self.call.hang_up()
        return None

    def call_ended(self, outcome: str) -> Awaitable[object] | None:
        """The call is over."""
        return None
