# -*- test-case-name: tests.calls.test_control tests.test_testing -*-
"""Something that is said over and over, until there is something better to say.

It says a second at a time, and only while there is room: an hour on hold takes no more
memory than a minute. It works on any call.
"""

from __future__ import annotations

from contextlib import suppress

from ..errors import CallStateError
from ..interfaces import CallControl

__all__ = ["Loop"]


class Loop:
    """Implements :class:`twistedvoice.interfaces.Hold`."""

    def __init__(self, call: CallControl, audio: bytes) -> None:
        """:raises ValueError: when there is nothing to say."""
        if not audio:
            raise ValueError("there is no sound to hold the caller with")
        self._call = call
        self._second = call.format.bytes_per_second
        self._audio = audio * -(-self._second // len(audio))
        self._utterance = call.speak()
        self._finished = self._utterance.finished()
        # So it is contained, and cancelled with the call, like all that agents do.
        call.call_later(0, self._play)

    def resume(self) -> None:
        if not self._finished.called:
            self._call.interrupt("resume")

    async def _play(self) -> None:
        start = 0
        # Something else may be said, or the call end, at any time.
        with suppress(CallStateError):
            while not self._finished.called:
                piece = self._audio[start : start + self._second]
                self._utterance.write(piece)
                start = (start + len(piece)) % len(self._audio)
                await self._call.room()
