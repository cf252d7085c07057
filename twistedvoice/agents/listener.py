# -*- test-case-name: tests.agents.test_listener -*-
"""The ear of an agent: from frames of a caller to what was meant.

It streams speech to a recogniser while it lasts, from a little before it was noticed.
A pause after a whole sentence of the grammar ends it at once; after anything else the
caller gets a while to go on. It tells the barge-in gate of all that starts and ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.python.failure import Failure

from ..errors import EngineError
from ..interfaces import CallControl
from ..speech.bargein import BargeIn
from ..speech.engines import Hearing
from ..speech.grammar import Grammar
from ..speech.turns import Turns
from ..speech.vad import Detector

__all__ = ["Listener"]

#: Kept from before speech is noticed: its beginning, and some silence to tell it from.
_BEFORE_FRAMES = 25
#: Handed to the engine at a time.
_BATCH_FRAMES = 5
#: How long a caller who has not said a whole sentence may pause.
_PATIENCE_SECONDS = 0.6
#: A shorter noise that means nothing is nobody's answer.
_LEAST_SPEECH_MS = 300


class Listener:
    """What hears one caller."""

    def __init__(
        self,
        call: CallControl,
        gate: BargeIn,
        *,
        turns: Turns,
        detector: Detector,
        hear: Callable[[], Hearing],
        grammar: Callable[[], Grammar | None],
        began: Callable[[], object],
        ended: Callable[[str | None, str], object],
        ignored: Callable[[], object],
    ) -> None:
        """
        :param hear: begins to hear by the grammar that holds now.
        :param grammar: that grammar; None while nothing is listened for.
        :param began: told when speech starts.
        :param ended: told the name of the rule and the words of a speech; None and
            nothing for one that means nothing here.
        :param ignored: told in its place of a noise while nothing was being said.
        """
        self._call = call
        self._gate = gate
        self._turns = turns
        self._detector = detector
        self._hear = hear
        self._grammar = grammar
        self._began = began
        self._ended = ended
        self._ignored = ignored
        self._before: deque[bytes] = deque(maxlen=_BEFORE_FRAMES)
        self._hearing: Hearing | None = None
        self._read: Grammar | None = None
        self._batch: list[bytes] = []
        self._spoken_ms = 0
        self._patience: Any = None

    @property
    def is_busy(self) -> bool:
        """Whether a speech is going on, or its meaning is yet to be known."""
        return self._hearing is not None

    def frame(self, frame: bytes) -> None:
        """The caller's next 20 ms."""
        turn = self._turns.frame(self._detector.is_voiced(frame))
        if self._hearing is None:
            self._before.append(frame)
        elif not self._is_too_long:
            self._batch.append(frame)
            if len(self._batch) == _BATCH_FRAMES:
                self._flush()
        if turn == "started":
            self._start()
        elif turn == "ended":
            self._end()
        elif self._turns.is_speaking and self._hearing is not None:
            self._gate.look()

    def close(self) -> None:
        """What is being said now is not wanted any more."""
        hearing, self._hearing = self._hearing, None
        self._batch.clear()
        self._cancel_patience()
        if hearing is not None:
            hearing.close()

    def _start(self) -> None:
        self._cancel_patience()
        grammar = self._grammar()
        if grammar is None or self._is_talked_over:
            return
        self._gate.speech_started()
        self._began()
        if self._hearing is not None:
            return
        self._spoken_ms, self._read = 0, grammar
        try:
            self._hearing = self._hear()
        except EngineError:
            self._settle(None, "")  # nobody can hear: as if nothing was said
            return
        self._batch = list(self._before)
        self._before.clear()
        self._flush()

    @property
    def _is_talked_over(self) -> bool:
        """Whether the caller speaks while what is said must be heard."""
        return self._gate.is_protected and self._call.is_playing

    def _end(self) -> None:
        hearing = self._hearing
        if hearing is None:
            return
        self._spoken_ms += self._turns.spoken_ms
        self._flush()

        def found(words: str) -> None:
            is_over = self._is_too_long or not self._turns.is_speaking
            if hearing is self._hearing and is_over:
                self._found(words)

        def failed(failure: Failure) -> None:
            failure.trap(EngineError)
            if hearing is self._hearing:
                self._settle(None, "")

        hearing.words().addCallbacks(found, failed)

    def _found(self, words: str) -> None:
        assert self._read is not None
        rule = self._read.read(words)
        name = None if rule is None else rule.name
        if self._is_too_long or (rule is not None and not rule.is_open):
            self._settle(name, words)
        else:
            self._cancel_patience()
            self._patience = self._call.call_later(
                _PATIENCE_SECONDS, lambda: self._settle(name, words)
            )

    def _settle(self, name: str | None, words: str) -> None:
        self._patience = None
        self.close()
        spoken_ms = self._spoken_ms
        if self._gate.speech_ended(understood=name is not None, spoken_ms=spoken_ms):
            return
        if name is None and spoken_ms < _LEAST_SPEECH_MS:
            self._ignored()
        else:
            self._ended(name, words)

    @property
    def _is_too_long(self) -> bool:
        """Whether the caller, or a noise, has gone on for so long that it is enough."""
        return self._spoken_ms >= self._turns.rules.longest_ms

    def _cancel_patience(self) -> None:
        timer, self._patience = self._patience, None
        if timer is not None:
            timer.cancel()

    def _flush(self) -> None:
        if self._hearing is not None and self._batch:
            self._hearing.write(b"".join(self._batch))
        self._batch.clear()
