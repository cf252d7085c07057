"""What is left of a call with a model when it is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import ref

from tests.calls.doubles import Exchange

__all__ = ["left_of", "parts_of"]


def parts_of(exchange: Exchange) -> Mapping[str, ref[Any]]:
    """:returns: what the only call is made of, by name."""
    [call] = exchange.switchboard
    assert call._link is not None
    agent: Any = call._link.agent
    return {
        "call": ref(call),
        "agent": ref(agent),
        "speech": ref(agent._speech),
        "connection": ref(agent._connection),
        "session": ref(agent._connection._session),
    }


def left_of(parts: Mapping[str, ref[Any]]) -> list[str]:
    """:returns: the names of those that are still there."""
    return [name for name, part in parts.items() if part() is not None]
