# -*- test-case-name: tests.agents.openai.test_agent -*-
"""What differs between models elsewhere: the seam between their agent and their API.

An API turns what a call needs into messages, and messages into events. It knows its
settings, and no call. Where it has no message for something it gives none.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Protocol

from attrs import field, frozen

from ...events import Message
from ...formats import AudioFormat
from ...sockets import SocketRequest
from ..tools import Tool
from .events import Event, FunctionCalled
from .memory import Line

__all__ = ["Api", "Reader", "Setup"]

#: Reads the messages of one session, in order; raises
#: :class:`~twistedvoice.errors.DialectError` when something is none.
Reader = Callable[[Message], Sequence[Event]]


@frozen(kw_only=True)
class Setup:
    """How a session is to begin."""

    request: SocketRequest
    #: Sent first; a :class:`~.events.SessionSet` confirms it.
    wish: Message = field(repr=False)
    #: Sent as soon as it was confirmed.
    first: Sequence[Message] = field(repr=False)
    #: Whether it goes on from another session.
    resumes: bool = False


class Api(Protocol):
    """One API, set up for one agent."""

    #: The account: ``NAME.api_key`` and ``NAME.url``.
    name: str
    #: A session that is as old as that should be replaced.
    renew_seconds: float
    #: With these a socket is closed on a session that will never do.
    hopeless_codes: Container[int]
    #: Results of functions are answered without being asked for it.
    answers_results: bool
    #: The next session may wait beside the last, and be told later what was said.
    remembers_later: bool

    def request(self, url: str, key: str) -> SocketRequest:
        """:returns: the socket to open."""

    def setup(
        self,
        own: AudioFormat,
        tools: Sequence[Tool],
        said: Sequence[Line],
        handle: str,
    ) -> Message:
        """
        :param own: what the call is carried in.
        :param said: what was said before, for an API that is told so here.
        :param handle: of the session to go on from, if any.
        """

    def sound_format(self, own: AudioFormat) -> tuple[AudioFormat, AudioFormat]:
        """:returns: what it hears and what it says for a call carried in ``own``."""

    def reader(self) -> Reader:
        """:returns: what reads one session."""

    def hear(self, sound: bytes) -> Message:
        """:returns: the caller's sound; made fifty times a second a call."""

    def greet(self) -> Sequence[Message]:
        """:returns: what has the model speak first."""

    def remember(self, lines: Sequence[Line]) -> Sequence[Message]:
        """:returns: what tells a session what was said before, if not its set-up."""

    def ask(self) -> Sequence[Message]:
        """:returns: what asks for an answer."""

    def cancel(self) -> Sequence[Message]:
        """:returns: what takes back the answer that is being made."""

    def truncate(
        self, item_id: str, content_index: int, heard_ms: int
    ) -> Sequence[Message]:
        """:returns: what says how much of an item the caller heard."""

    def give_result(self, call: FunctionCalled, result: str) -> Sequence[Message]:
        """:returns: what a function came to."""
