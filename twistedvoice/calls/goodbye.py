# -*- test-case-name: tests.calls.test_goodbye -*-
"""The last words of a call: hangs up once they were heard [TD-2].

The carrier's mark says when. Should none come, a deadline does, which moves on while
something plays or the words are still being made. An interrupt takes it all back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall

from ..interfaces import Utterance

if TYPE_CHECKING:
    from .call import Call

__all__ = ["GOODBYE_SECONDS", "MARK_GRACE_SECONDS", "Goodbye"]

#: How long an agent that was told to end its call may take to say goodbye.
GOODBYE_SECONDS = 15.0
#: What the last mark may take beyond the time of the sound before it.
MARK_GRACE_SECONDS = 3.0
#: How many times that the words may take to be made, with nothing to be heard.
_GRACES_UNSAID = 10


class Goodbye:
    """Waits for the end of one utterance, to hang up."""

    def __init__(self, call: Call, utterance: Utterance) -> None:
        self._call = call
        self._utterance = utterance
        self._graces = 0
        self._timer: IDelayedCall | None = None
        self._watch()
        utterance.finished().addCallback(self._finished)

    def _watch(self) -> None:
        seconds = self._call.voice.unheard_us / 1_000_000 + MARK_GRACE_SECONDS
        self._timer = self._call.call_later(seconds, self._overdue)

    def _overdue(self) -> None:
        self._timer = None
        voice = self._call.voice
        self._graces += 1
        if voice.is_playing:
            self._graces = 0
            self._watch()
        elif voice.is_open(self._utterance) and self._graces < _GRACES_UNSAID:
            self._watch()
        else:
            self._call.life.over(self._call.hang_up_outcome)

    def _finished(self, outcome: str) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
        if outcome != "cleared":
            self._call.life.hang_up(self._call.hang_up_outcome)
