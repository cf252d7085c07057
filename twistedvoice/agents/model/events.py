# -*- test-case-name: tests.agents.openai.test_reading -*-
"""What a model elsewhere tells us, as values, whatever its API calls them.

Each API reads its own messages into these. No I/O, no state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from attrs import field, frozen

__all__ = [
    "AskedTooEarly",
    "CallsTakenBack",
    "Event",
    "Expired",
    "FunctionCalled",
    "GoingAway",
    "LimitsTold",
    "Refused",
    "ResponseBegan",
    "ResponseEnded",
    "Resumable",
    "SessionSet",
    "SoundCame",
    "SoundEnded",
    "SpeechStarted",
    "SpeechStopped",
    "WordsCame",
    "WordsEnded",
    "WordsHeard",
]


@frozen
class SessionSet:
    """The session is as we asked."""


@frozen
class Resumable:
    """Another session may go on from here, if it has this handle."""

    handle: str = field(repr=False)


@frozen
class GoingAway:
    """The API will soon end the session."""


@frozen
class Expired:
    """The session has reached its end."""


@frozen
class SpeechStarted:
    """The caller began to speak."""

    item_id: str


@frozen
class SpeechStopped:
    """The caller has spoken; an answer follows."""


@frozen
class WordsHeard:
    """A piece of what the caller said, in an item, as text."""

    item_id: str
    text: str = field(repr=False)


@frozen
class WordsEnded:
    """All that the caller said in an item is known."""

    item_id: str


@frozen
class ResponseBegan:
    """The model makes an answer."""

    response_id: str


class SoundCame(NamedTuple):
    """A piece of what the model says."""

    response_id: str
    item_id: str
    content_index: int
    audio: bytes


@frozen
class SoundEnded:
    """An item has all its sound."""

    item_id: str


@frozen
class WordsCame:
    """A piece of what the model says, as text."""

    item_id: str
    text: str = field(repr=False)


@frozen
class FunctionCalled:
    """The model calls a function."""

    response_id: str
    call_id: str
    name: str
    #: JSON, as the model wrote it.
    arguments: str = field(repr=False)


@frozen
class CallsTakenBack:
    """The model wants no results of these calls any more."""

    call_ids: Sequence[str]


@frozen(kw_only=True)
class ResponseEnded:
    """An answer is whole, or will never be."""

    response_id: str
    #: ``completed``, ``cancelled``, ``failed`` or ``incomplete``.
    status: str
    #: Of the error, where it failed.
    code: str = ""
    #: It would fail in the same way again.
    hopeless: bool = False


@frozen
class AskedTooEarly:
    """The model was asked for an answer while it still makes one."""


@frozen(kw_only=True)
class LimitsTold:
    """How long to wait for the tightest limit that is used up; 0 when none is."""

    wait_seconds: float


@frozen(kw_only=True)
class Refused:
    """An error; mostly the session goes on. Its message is not kept: it may quote."""

    kind: str
    code: str
    param: str
    #: The same message would be refused again.
    hopeless: bool


Event = (
    SessionSet
    | Resumable
    | GoingAway
    | Expired
    | SpeechStarted
    | SpeechStopped
    | WordsHeard
    | WordsEnded
    | ResponseBegan
    | SoundCame
    | SoundEnded
    | WordsCame
    | FunctionCalled
    | CallsTakenBack
    | ResponseEnded
    | AskedTooEarly
    | LimitsTold
    | Refused
)
