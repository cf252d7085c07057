# -*- test-case-name: tests.calls.test_inbound -*-
"""The listening side of one call: the carrier's messages, read and passed on.

It contains what a bad peer sends: one bad message is counted and dropped, a flood ends
its own call. It runs fifty times a second a call, so it reads no clock per message.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from ..errors import DialectError
from ..events import (
    AudioReceived,
    CarrierEvent,
    DigitReceived,
    Ignored,
    MarkEchoed,
    Message,
    StreamStarted,
    StreamStopped,
)
from ..interfaces import Dialect
from ..realtime.tracks import Tracks

__all__ = ["MOST_MESSAGES_A_SECOND", "Inbound", "Listener"]

#: A carrier sends 50 frames a second, and after a stall of ours all it kept meanwhile.
MOST_MESSAGES_A_SECOND = 1000

#: What the record of a call calls the kinds of messages.
_KINDS: dict[str, type[CarrierEvent]] = {
    "start": StreamStarted,
    "media": AudioReceived,
    "digits": DigitReceived,
    "marks": MarkEchoed,
    "stop": StreamStopped,
    "ignored": Ignored,
}


class Listener(Protocol):
    """Who is told what the carrier said."""

    def stream_started(self, event: StreamStarted) -> None:
        """The stream is open."""

    def audio_received(self, event: AudioReceived) -> None:
        """A frame of the caller's sound."""

    def digit_received(self, event: DigitReceived) -> None:
        """The caller pressed a key."""

    def mark_echoed(self, event: MarkEchoed) -> None:
        """A mark came back."""

    def stream_stopped(self, event: StreamStopped) -> None:
        """The carrier ended the stream."""

    def misspoke(self, error: DialectError) -> None:
        """The peer broke its protocol for the first time; the call goes on."""

    def misbehaved(self, outcome: str) -> None:
        """The peer is beyond repair: end the call."""


class Inbound:
    """Reads what one carrier's stream sends."""

    def __init__(
        self, dialect: Dialect, seconds: Callable[[], float], listener: Listener
    ) -> None:
        self._dialect = dialect
        self._seconds = seconds
        self._tell: dict[type[CarrierEvent], Callable[[Any], None]] = {
            AudioReceived: listener.audio_received,
            MarkEchoed: listener.mark_echoed,
            DigitReceived: listener.digit_received,
            StreamStarted: listener.stream_started,
            StreamStopped: listener.stream_stopped,
        }
        self._misspoke: Callable[[DialectError], None] = listener.misspoke
        self._misbehaved: Callable[[str], None] = listener.misbehaved
        self._credit = MOST_MESSAGES_A_SECOND
        self._credited_at = seconds()
        self._started = False
        #: Where the caller's sound is noted; None once nobody wants it.
        self.tracks: Tracks | None = Tracks(dialect.format)
        #: All that came while the call was there.
        self.messages = 0
        #: What they said, by type of event; see :meth:`kinds`.
        self._events: Counter[type[CarrierEvent]] = Counter()
        #: Messages that broke the carrier's own protocol.
        self.malformed = 0
        #: Messages that were not read, since too many came.
        self.unread = 0

    @property
    def frames(self) -> int:
        """How many frames of the caller's sound came."""
        return self._events[AudioReceived]

    def kinds(self) -> dict[str, int]:
        """
        :returns: how many messages were of each kind. Where a message is one event
            they add up to ``messages`` [OB-1].
        """
        kinds = {name: self._events[event] for name, event in _KINDS.items()}
        return {**kinds, "malformed": self.malformed, "unread": self.unread}

    def message_received(self, message: Message) -> None:
        """Read one message and tell what it says."""
        if not self._tell:
            return
        self.messages += 1
        self._credit -= 1
        if self._credit < 0 and self._flooded():
            self.unread += 1
            self._misbehaved("flooded")
            return
        try:
            events = self._dialect.receive(message)
        except DialectError as error:
            self._bad(error)
            return
        for event in events:
            kind = type(event)
            # First, since the call may end, and be put on record, in the telling.
            self._events[kind] += 1
            tell = self._tell.get(kind)
            if tell is not None:
                tell(event)

    def started(self) -> None:
        """From here on a bad message no longer ends the call."""
        self._started = True

    def close(self) -> None:
        """Tell nobody anything any more."""
        self._tell.clear()
        self._misspoke = self._misbehaved = _nobody

    def _bad(self, error: DialectError) -> None:
        self.malformed += 1
        if not self._started:
            self._misbehaved("malformed")
        elif self.malformed == 1:
            self._misspoke(error)

    def _flooded(self) -> bool:
        now = self._seconds()
        if now - self._credited_at < 1.0:
            return True
        self._credit = MOST_MESSAGES_A_SECOND
        self._credited_at = now
        return False


def _nobody(complaint: object) -> None:
    """Hear a complaint about a closed call."""
