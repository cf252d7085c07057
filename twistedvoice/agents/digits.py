# -*- test-case-name: tests.agents.test_digits -*-
"""What a caller enters on the keys: an extension, a code, a card number.

An agent hands every key to its :class:`Keypad` and waits for the whole. What is entered
is never logged, and no ``repr`` shows it.
"""

from __future__ import annotations

from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred

from ..errors import CallStateError
from ..interfaces import CallControl, Utterance

__all__ = ["Entry", "Keypad"]


@define
class Entry:
    """Keys that are pressed one after the other, until there are enough."""

    most: int
    #: The key that ends them before that; empty for none.
    terminator: str
    digits: str = field(default="", repr=False)

    def press(self, key: str) -> bool:
        """:returns: whether that was the last."""
        if key == self.terminator:
            return True
        self.digits += key
        return len(self.digits) == self.most

    @property
    def late_terminator(self) -> str:
        """The key that may still come, from callers who end by habit."""
        return self.terminator if len(self.digits) == self.most else ""


class Keypad:
    """Collects what one caller presses; make it when the call starts."""

    def __init__(self, call: CallControl) -> None:
        self._call = call
        self._late_terminator = ""
        self._entry: Entry | None = None
        self._collected: Deferred[str] = Deferred()
        self._prompt: Utterance | None = None
        self._timer: Any = None
        self._between_seconds = 0.0

    def collect(
        self,
        *,
        most: int,
        terminator: str = "#",
        first_seconds: float = 5.0,
        between_seconds: float = 3.0,
        prompt: Utterance | None = None,
    ) -> Deferred[str]:
        """
        Wait until the caller has entered something.

        :param most: how many keys make it whole.
        :param terminator: the key that ends it before that; empty for none.
        :param first_seconds: how long the first key may take, from the end of the
            prompt on.
        :param between_seconds: how long each key after it may take.
        :param prompt: what asks for it; the first key cuts it off.
        :returns: fires with the keys without the terminator, fewer than ``most`` or
            none at all when time ran out. Cancel it to stop; an agent's coroutine that
            awaits it is cancelled at the end of the call.
        :raises CallStateError: when something is being collected already.
        """
        if self._entry is not None:
            raise CallStateError("the caller is entering something else already")
        self._entry = Entry(most, terminator)
        self._between_seconds = between_seconds
        collected = self._collected = Deferred(lambda _: self._stop())
        if prompt is None:
            self._wait(first_seconds)
        else:
            self._prompt = prompt
            prompt.finished().addCallback(self._asked, collected, first_seconds)
        return collected

    def press(self, key: str) -> bool:
        """
        The caller pressed ``key``; call it from ``digit_pressed``.

        :returns: whether the key was taken; nothing takes it while nothing is
            collected.
        """
        late, self._late_terminator = self._late_terminator, ""
        if key == late:
            return True
        entry = self._entry
        if entry is None:
            return False
        prompt, self._prompt = self._prompt, None
        if prompt is not None:
            self._call.interrupt("digit")
        if entry.press(key):
            self._late_terminator = entry.late_terminator
            self._finish()
        else:
            self._wait(self._between_seconds)
        return True

    def _asked(self, outcome: str, collected: Deferred[str], seconds: float) -> None:
        """The prompt is over: count from now, unless a key came before."""
        if self._prompt is None or collected is not self._collected:
            return
        self._prompt = None
        try:
            self._wait(seconds)
        except CallStateError:  # the prompt was the last that is said on this call
            collected.cancel()

    def _wait(self, seconds: float) -> None:
        self._cancel_timer()
        self._timer = self._call.call_later(seconds, self._timed_out)

    def _timed_out(self) -> None:
        self._timer = None
        self._finish()

    def _finish(self) -> None:
        entry, collected = self._entry, self._collected
        assert entry is not None
        self._stop()
        collected.callback(entry.digits)

    def _stop(self) -> None:
        self._entry = self._prompt = None
        self._cancel_timer()

    def _cancel_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
