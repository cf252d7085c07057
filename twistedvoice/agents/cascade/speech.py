# -*- test-case-name: tests.agents.cascade.test_agent -*-
"""What the agent says, sentence by sentence, from text to the caller's ear.

The next sentence goes to the voice when the sound of the last has come and little of it
waits, so that an interruption wastes little. What the history says of a sentence that
was cut off are the words that were heard.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from ...errors import QueueFull
from ...interfaces import CallControl, Utterance
from ..model.memory import Line
from .history import History, Saying
from .senses import Mouth

__all__ = ["Speech", "heard_words"]

_log = Logger()

#: How long a character takes to say, about, where that is not known.
_CHARACTER_MS = 60


@define(eq=False)
class _Sentence:
    """A sentence that is not known to have been heard."""

    saying: Saying
    utterance: Utterance | None = None
    at_ms: int = 0
    size: int = 0
    is_whole: bool = False
    #: Kept, since it may be cut in the history.
    text: str = field(default="", repr=False)


class Speech:
    """All that the agent says in one call; implements ``MouthOwner``."""

    def __init__(
        self,
        call: CallControl,
        mouth: Mouth,
        history: History,
        now_ms: Callable[[], int],
        said: Callable[[Line], None],
        failed: Callable[[Failure], None],
    ) -> None:
        """
        :param said: told what the caller heard, sentence by sentence.
        :param failed: told of what was raised beside the call's own events.
        """
        self._call = call
        self._mouth = mouth
        self._history = history
        self._now_ms = now_ms
        self._said = said
        self._failed = failed
        self._sentences: list[_Sentence] = []
        #: The one that is being spoken, or is about to be.
        self._current: _Sentence | None = None
        self._waiters: list[Deferred[str]] = []
        self._last_waiters: list[Deferred[Utterance | None]] = []
        self._is_closed = False
        mouth.owner = self

    @property
    def is_silent(self) -> bool:
        """Whether nothing is said, nor about to be."""
        return not self._sentences

    def say(self, text: str) -> None:
        """Say a sentence after what is being said."""
        saying = self._history.add("assistant", text)
        self._sentences.append(_Sentence(saying, text=text))
        self._go_on()

    def stop(self) -> None:
        """Say no more: what has no sound yet is forgotten."""
        self._mouth.cancel()
        self._current = None
        unheard = [each for each in self._sentences if each.utterance is None]
        for each in self._sentences:
            if each.utterance is not None:
                each.utterance.end()
        for each in unheard:
            self._sentences.remove(each)
            each.saying.text = ""
        if unheard:
            self._tell_waiters("cleared")
        self._tell_last()

    def heard(self) -> Deferred[str]:
        """
        :returns: fires once the caller has heard all, with ``played``, or never will,
            with ``cleared``.
        """
        if self.is_silent:
            return succeed("played")
        waiter: Deferred[str] = Deferred()
        self._waiters.append(waiter)
        return waiter

    def last(self) -> Deferred[Utterance | None]:
        """:returns: fires once the last sentence sounds; None when there is none."""
        waiter: Deferred[Utterance | None] = Deferred()
        self._last_waiters.append(waiter)
        self._tell_last()
        return waiter

    def mute(self) -> None:
        """Say no more, ever; what has sound may still be heard."""
        self.stop()
        self._mouth.close()

    def close(self) -> None:
        """The call is over: let go of whoever was told."""
        self._is_closed = True
        self._said = lambda line: None
        self._failed = lambda failure: None
        self._now_ms = lambda: 0
        self._waiters.clear()
        self._last_waiters.clear()
        self._sentences.clear()
        self._current = None
        self._mouth.close()

    # -- from the mouth ----------------------------------------------------------------

    def sound_came(self, sound: bytes) -> None:
        sentence = self._current
        if sentence is None:
            return
        if sentence.utterance is None:
            sentence.utterance = self._call.speak()
            sentence.at_ms = self._now_ms()
            finished: Deferred[Any] = sentence.utterance.finished()
            finished.addCallback(self._finished, sentence)
            finished.addErrback(lambda failure: self._failed(failure))
            self._tell_last()
        try:
            sentence.utterance.write(sound)
        except QueueFull:
            _log.warn("a sentence on {id} is too long", id=self._call.call_id)
            self._mouth.cancel()
            self.sound_ended(whole=False)
        else:
            sentence.size += len(sound)

    def sound_ended(self, *, whole: bool) -> None:
        sentence, self._current = self._current, None
        if sentence is None:
            return
        sentence.is_whole = whole
        if sentence.utterance is not None:
            sentence.utterance.end()
        else:  # nothing in it can be spoken
            self._forget(sentence, "played")
        self._go_on()

    # -- within ------------------------------------------------------------------------

    def _go_on(self) -> None:
        if self._current is not None:
            return
        waiting = (each for each in self._sentences if each.utterance is None)
        self._current = next(waiting, None)
        if self._current is None:
            self._tell_last()
        else:
            room: Deferred[Any] = self._call.room()
            room.addCallback(self._speak, self._current)
            room.addErrback(lambda failure: self._failed(failure))

    def _speak(self, _: object, sentence: _Sentence) -> None:
        if sentence is self._current:
            self._mouth.speak(sentence.text)

    def _finished(self, outcome: str, sentence: _Sentence) -> None:
        if self._is_closed:
            return
        came_ms = self._call.format.duration_us(sentence.size) // 1000
        utterance = sentence.utterance
        assert utterance is not None
        heard_ms = min(utterance.heard_ms(), came_ms)
        if outcome in ("cleared", "lost") or not sentence.is_whole:
            most_ms = max(came_ms, _CHARACTER_MS * len(sentence.text))
            whole_ms = came_ms if sentence.is_whole else most_ms
            sentence.saying.text = heard_words(sentence.text, heard_ms, whole_ms)
        self._said(Line(who="agent", text=sentence.saying.text, at_ms=sentence.at_ms))
        self._forget(sentence, outcome)

    def _forget(self, sentence: _Sentence, outcome: str) -> None:
        self._sentences.remove(sentence)
        if outcome in ("cleared", "lost"):
            self._tell_waiters("cleared")
        elif not self._sentences:
            self._tell_waiters("played")

    def _tell_last(self) -> None:
        last = self._sentences[-1].utterance if self._sentences else None
        if last is not None or not self._sentences:
            waiters, self._last_waiters = self._last_waiters, []
            for waiter in waiters:
                waiter.callback(last)

    def _tell_waiters(self, outcome: str) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.callback(outcome)


def heard_words(text: str, heard_ms: int, whole_ms: int) -> str:
    """:returns: the whole words at the beginning that so much of the sound has."""
    if heard_ms >= whole_ms:
        return text
    cut = len(text) * heard_ms // max(1, whole_ms)
    if cut < len(text) and not text[cut].isspace():
        cut = max(text.rfind(" ", 0, cut), 0)
    return text[:cut].rstrip()
