"""What a carrier must never send, by the thousand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from twistedvoice.events import Message

__all__ = ["any_message", "json_values", "mutated", "steady"]

#: The same examples on every run and machine, and no clock.
steady = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=60,
    # A contract runs the same test method for every implementation.
    suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow],
)

_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(
        ("start", "media", "inbound", "\ud800", "1", "-1", "1e3", "9" * 40)
    )
)
#: Any JSON, NaN and half characters included.
json_values: st.SearchStrategy[Any] = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def mutated(draw: st.DrawFn, originals: Sequence[Message]) -> Message:
    """One of ``originals`` with a field changed, or with its bytes damaged."""
    message = draw(st.sampled_from(originals))
    if message.binary or draw(st.booleans()):
        return Message(_damaged(draw, message.data), draw(st.booleans()))
    value = json.loads(message.data)
    _change(draw, value)
    return Message(json.dumps(value).encode(), False)


def any_message(originals: Sequence[Message]) -> st.SearchStrategy[Message]:
    """Bytes, JSON, and messages that are almost right."""
    return (
        st.builds(Message, st.binary(max_size=200), st.booleans())
        | json_values.map(lambda value: Message(json.dumps(value).encode(), False))
        | mutated(originals)
    )


def _damaged(draw: st.DrawFn, data: bytes) -> bytes:
    start = draw(st.integers(0, len(data)))
    end = draw(st.integers(start, min(len(data), start + 8)))
    return data[:start] + draw(st.binary(max_size=4)) + data[end:]


def _change(draw: st.DrawFn, value: dict[str, Any]) -> None:
    name = draw(st.sampled_from(sorted(value)))
    inner = value[name]
    if isinstance(inner, dict) and inner and draw(st.booleans()):
        _change(draw, inner)
    elif draw(st.booleans()):
        del value[name]
    else:
        value[name] = draw(json_values)
