# -*- test-case-name: tests.speech.test_recital -*-
"""What an agent is saying: handed to the call piece by piece, and known to the frame.

It keeps the sound until the next is said, so that whoever cuts it off can go on from
the exact frame that was heard last. Agents that say what they have whole (prompts), or
sentence by sentence, say it through one of these.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..errors import CallStateError
from ..interfaces import CallControl, Utterance

__all__ = ["Recital"]


class Recital:
    """One thing said at a time on one call; a new one takes the place of the old."""

    _log = Logger()

    def __init__(self, call: CallControl) -> None:
        self._call = call
        #: What is being said, unless it was cut off or heard to its end.
        self.saying: Utterance | None = None
        #: What is said whole is not copied for each call.
        self._sound = b""
        self._written = 0
        self._is_whole = False
        self._is_reading = False
        self._then: Callable[[], None] | None = None

    def say(self, sound: bytes, then: Callable[[], None] | None = None) -> Utterance:
        """
        Say all of ``sound``.

        :param then: called once the caller has heard it, all of it.
        """
        utterance = self.begin(then)
        self.write(sound)
        self.end()
        return utterance

    def begin(self, then: Callable[[], None] | None = None) -> Utterance:
        """Begin what is not whole yet; :meth:`write` more, and :meth:`end` it."""
        self.saying = utterance = self._call.speak()
        self._sound, self._written = b"", 0
        self._is_whole = self._is_reading = False
        self._then = then

        def finished(outcome: str) -> None:
            if utterance is self.saying and outcome in {"played", "assumed"}:
                self.saying = None
                if then is not None:
                    then()

        utterance.finished().addCallback(finished).addErrback(self.failed)
        return utterance

    def write(self, sound: bytes) -> None:
        """Say more; nothing happens once it was cut off."""
        if self.saying is not None:
            self._sound += sound
            self._read_out()

    def end(self) -> None:
        """Nothing more follows."""
        if self.saying is not None:
            self._is_whole = True
            self._read_out()

    def stop(self, reason: str) -> bytes:
        """
        Fall silent.

        :returns: what was not heard, from the exact frame on; empty when nothing was
            being said.
        """
        utterance, self.saying = self.saying, None  # first: interrupted() asks for it
        if utterance is None:
            return b""
        kept = self._sound
        self._call.interrupt(reason)
        sound = self._call.format
        heard = sound.bytes_in(utterance.heard_ms() * 1000)
        return kept[heard - heard % sound.frame_bytes :]

    def resume(self, rest: bytes) -> Utterance:
        """Go on with what :meth:`stop` gave back; what was to follow it follows."""
        return self.say(rest, self._then)

    def failed(self, failure: Failure) -> None:
        """Something that runs beside the call's own events raised: end the call."""
        if not isinstance(failure.value, CallStateError | CancelledError):
            self._log.failure(
                "what {call_id} says failed", failure, call_id=self._call.call_id
            )
            self._call.hang_up()

    def _read_out(self) -> None:
        if not self._is_reading and self.saying is not None:
            self._is_reading = True
            reading = Deferred.fromCoroutine(self._reading(self.saying))
            reading.addErrback(self.failed)

    async def _reading(self, utterance: Utterance) -> None:
        """Hand it over a second at a time: the call's queue must not fill up."""
        second = self._call.format.bytes_per_second
        while self._written < len(self._sound):
            if self._written:
                await self._call.room()
            if utterance is not self.saying:
                return
            piece = self._sound[self._written : self._written + second]
            self._written += len(piece)
            utterance.write(piece)
        self._is_reading = False
        if self._is_whole:
            utterance.end()
