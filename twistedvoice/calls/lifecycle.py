# -*- test-case-name: tests.calls.test_lifecycle -*-
"""The life of a call: Connecting, Streaming, Draining, Closed [TD-1].

Every way a call can end, in whatever order the messages come, leads to Closed once.
Nothing that happens per frame comes through here. The deeds are the call's.
"""

from __future__ import annotations

from typing import Protocol

from automat import TypeMachineBuilder

__all__ = ["OVER", "Deeds", "Life", "LifeMachine"]


class Life(Protocol):
    """What can happen to a call."""

    # from the switchboard
    def admitted(self) -> None:
        """The stream has started and a place was found for the call."""

    # from the agent
    def hang_up(self, outcome: str) -> None:
        """End the call once what is queued has been heard."""

    # from the last mark, or the deadline of draining
    def drained(self) -> None:
        """What was queued has been heard, or has had its time."""

    # from the carrier, the socket, a watchdog, a failure
    def over(self, outcome: str) -> None:
        """The call ends now."""


class Deeds(Protocol):
    """What a call does about it."""

    def begin(self) -> None:
        """Let the agent speak."""

    def drain(self) -> None:
        """Take nothing new, and see that ``drained`` comes in bounded time."""

    def close(self, outcome: str) -> None:
        """Let go of everything; told once."""


def _draining_for(life: Life, deeds: Deeds, outcome: str) -> str:
    return outcome


def _make() -> TypeMachineBuilder[Life, Deeds]:
    # Deeds is a protocol, which mypy does not take for a class to be made.
    builder = TypeMachineBuilder(Life, Deeds)  # type: ignore[type-abstract]
    connecting = builder.state("Connecting")
    streaming = builder.state("Streaming")
    draining = builder.state("Draining", _draining_for)
    closed = builder.state("Closed")

    # Late and duplicate inputs, which change nothing.
    connecting.upon(Life.drained).loop().returns(None)
    streaming.upon(Life.admitted).loop().returns(None)
    streaming.upon(Life.drained).loop().returns(None)
    draining.upon(Life.admitted).loop().returns(None)
    draining.upon(Life.hang_up).loop().returns(None)
    for late in (Life.admitted, Life.hang_up, Life.drained, Life.over):
        closed.upon(late).loop().returns(None)

    @connecting.upon(Life.admitted).to(streaming)
    def begin(life: Life, deeds: Deeds) -> None:
        deeds.begin()

    @connecting.upon(Life.hang_up).to(closed)
    @connecting.upon(Life.over).to(closed)
    @streaming.upon(Life.over).to(closed)
    def close(life: Life, deeds: Deeds, outcome: str) -> None:
        deeds.close(outcome)

    @streaming.upon(Life.hang_up).to(draining)
    def drain(life: Life, deeds: Deeds, outcome: str) -> None:
        deeds.drain()

    @draining.upon(Life.drained).to(closed)
    def close_drained(life: Life, deeds: Deeds, outcome: str) -> None:
        deeds.close(outcome)

    @draining.upon(Life.over).to(closed)
    def close_draining(life: Life, deeds: Deeds, hung_up: str, outcome: str) -> None:
        deeds.close(outcome)

    return builder


LifeMachine = _make().build()


class _Over:
    """The life of a call that let go of its machine: nothing can happen to it."""

    def admitted(self) -> None:
        """Too late."""

    def hang_up(self, outcome: str) -> None:
        """Too late."""

    def drained(self) -> None:
        """Too late."""

    def over(self, outcome: str) -> None:
        """Over already."""


OVER: Life = _Over()
