# -*- test-case-name: tests.speech.test_turns -*-
"""When a caller begins to speak, and when the caller has stopped.

It takes a verdict for each 20 ms and knows neither sound nor time: speech has started
when enough voiced frames came in a row, so that no click or cough of 60 ms counts, and
has ended when enough came that are not. One for each call.
"""

from __future__ import annotations

from typing import Literal

from attrs import define, field, frozen

from ..formats import FRAME_MS

__all__ = ["TurnRules", "Turns"]


@frozen(kw_only=True)
class TurnRules:
    """How long things take to be believed, in milliseconds."""

    #: Voiced frames in a row that are speech.
    confirm_ms: int = 120
    #: Silence that ends it: longer than the pauses inside a word.
    hangover_ms: int = 180
    #: What lasts longer is no speech but a noise, and is ended all the same.
    longest_ms: int = 20_000


@define
class Turns:
    """The turns of one caller."""

    rules: TurnRules = field(factory=TurnRules)
    is_speaking: bool = False
    #: How long the caller has spoken since the last start, pauses and all.
    spoken_ms: int = 0
    _in_a_row: int = 0

    def frame(self, voiced: bool) -> Literal["started", "ended"] | None:
        """:returns: what this frame decided, usually nothing."""
        if self.is_speaking:
            self.spoken_ms += FRAME_MS
        self._in_a_row = 0 if voiced is self.is_speaking else self._in_a_row + FRAME_MS
        rules = self.rules
        wanted = rules.hangover_ms if self.is_speaking else rules.confirm_ms
        is_too_long = self.is_speaking and self.spoken_ms >= rules.longest_ms
        if self._in_a_row < wanted and not is_too_long:
            return None
        self._turn()
        return "started" if self.is_speaking else "ended"

    def _turn(self) -> None:
        self.is_speaking = not self.is_speaking
        if self.is_speaking:
            self.spoken_ms = self._in_a_row
        else:
            self.spoken_ms -= self._in_a_row
        self._in_a_row = 0
