# -*- test-case-name: tests.agents.cascade.test_local -*-
"""Hears the caller on this machine: a voice detector, and a model that writes down.

The level of the line and webrtcvad say when the caller speaks; each speech goes to an
engine as a whole when it is over. A caller who goes on before its words are there is in
the same turn. Nothing of what was said is logged.
"""

from __future__ import annotations

from collections import deque
from functools import partial

from ...formats import FRAME_MS, AudioFormat
from ...realtime.framer import Framer
from ...speech.engines import Scribes
from ...speech.turns import TurnRules, Turns
from ...speech.vad import new_detector
from ..model.watch import NewWatch
from .attempts import Attempts
from .senses import Contain, EarsOwner

__all__ = ["LocalEars"]

#: Kept from before speech is noticed: its beginning, and some silence.
_BEFORE_FRAMES = 25


class LocalEars:
    """Implements ``Ears``."""

    def __init__(
        self,
        scribes: Scribes,
        form: AudioFormat,
        rules: TurnRules,
        owner: EarsOwner,
        new_watch: NewWatch,
    ) -> None:
        """:param new_watch: for engines of which nothing comes."""
        self._scribes = scribes
        self._form = form
        self._turns = Turns(rules)
        self._detector = new_detector(form)
        self._framer = Framer(form)
        self._owner: EarsOwner | None = owner
        self._attempts = Attempts[str](new_watch, self._understood, self._given_up)
        #: The sound of the speech that is going on, or might be about to.
        self._frames: deque[bytes] = deque()
        #: Of this turn: the speeches that are not understood yet, and the words of the
        #: others.
        self._speeches: deque[bytes] = deque()
        self._words: list[str] = []
        self._is_in_turn = False
        #: The last speech did not end by itself.
        self._is_endless = False

    def begin(self, contain: Contain) -> None:
        self._attempts.begin(contain)

    def hear(self, sound: bytes) -> None:
        if self._owner is not None:
            for frame in self._framer.push(sound):
                self._hear(frame)

    def close(self) -> None:
        self._attempts.close()
        self._owner = None

    # -- within ------------------------------------------------------------------------

    def _hear(self, frame: bytes) -> None:
        self._frames.append(frame)
        turn = self._turns.frame(self._detector.is_voiced(frame))
        if turn == "started":
            self._begin_turn()
        elif turn == "ended":
            self._end_speech()
        elif not self._turns.is_speaking and len(self._frames) > _BEFORE_FRAMES:
            self._frames.popleft()

    def _begin_turn(self) -> None:
        if not self._is_in_turn and self._owner is not None:
            self._is_in_turn = True
            self._owner.caller_began()

    def _end_speech(self) -> None:
        # What did not end by itself goes on after its turn was answered.
        self._begin_turn()
        longest_ms = self._turns.rules.longest_ms
        self._is_endless = len(self._frames) * FRAME_MS >= longest_ms
        self._speeches.append(b"".join(self._frames))
        self._frames.clear()
        if len(self._speeches) == 1:
            self._ask()

    def _ask(self) -> None:
        words = partial(self._scribes.words, self._speeches[0], self._form)
        self._attempts.start(words)

    def _understood(self, words: str) -> None:
        self._speeches.popleft()
        self._words += [words] if words else []
        if self._speeches:
            self._ask()
        elif self._is_endless or not self._turns.is_speaking:
            self._end_turn()

    def _end_turn(self) -> None:
        text = " ".join(self._words)
        self._words.clear()
        self._is_in_turn = False
        if self._owner is not None:
            self._owner.caller_said(text)

    def _given_up(self) -> None:
        if self._owner is not None:
            self._owner.ears_given_up()
