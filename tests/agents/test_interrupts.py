# -*- test-case-name: tests.agents.test_interrupts -*-
"""False interruptions at any moment: the offline agent goes on at the exact frame.

A real call, its schedule and its playout clock are between the agent and the model of
the caller's ear; each frame that is said is made of one byte, which tells its place.
"""

from __future__ import annotations

from itertools import groupby
from random import Random

from twisted.internet.defer import succeed
from twisted.trial.unittest import SynchronousTestCase

from tests.calls.doubles import Exchange, Line
from twistedvoice.agents.dialogue import Dialogue, State
from twistedvoice.formats import AudioFormat

from .dialogues import DIALOGUE, FakeEngines, house, speech

__all__ = ["FuzzedCall", "InterruptTests"]

#: What frames are made of, in turns; none is silence.
_BYTES = range(1, 120)
_QUIET = b"\xff" * 160
#: A noise, from which the agent is silent in the middle, on average.
_NOISE_MS = (140, 400)


class TellingEngines(FakeEngines):
    """Says one story, and takes all that it hears for nothing."""

    def __init__(self, minutes: float) -> None:
        super().__init__()
        frames = range(round(minutes * 3000))
        self.story = b"".join(bytes([_BYTES[n % 119]]) * 160 for n in frames)

    def speak(self, text: str, sound: AudioFormat, heard: object) -> object:  # type: ignore[override]
        heard(self.story)  # type: ignore[operator]
        return succeed(None)


class FuzzedCall:
    """A caller who makes noises into a story, at moments drawn by lot."""

    def __init__(self, seed: int, delay: float = 0.0, minutes: float = 1.0) -> None:
        """:param delay: of the carrier's line, one way, in seconds."""
        self._lot = Random(seed)
        state = State(
            say="Story.",
            on=DIALOGUE.states["main"].on,
            on_timeout=DIALOGUE.states["main"].on_timeout,
            on_invalid=DIALOGUE.states["main"].on_invalid,
        )
        states = {**DIALOGUE.states, "main": state}
        dialogue = Dialogue(start="main", states=states, intents=DIALOGUE.intents)
        made, _ = house(dialogue)
        self.engines = TellingEngines(minutes)
        made.engines = self.engines  # type: ignore[assignment]
        made.voicing._engines = self.engines  # type: ignore[assignment]
        self.exchange = Exchange()
        self.exchange.make_agent = made
        self.line: Line = self.exchange.dial(delay=delay)

    def interrupt(self, times: int) -> None:
        """Let the agent speak for a while, then make a noise; so often."""
        for _ in range(times):
            self._pass(_QUIET * (self._lot.randrange(20, 1500) // 20))
            self.exchange.advance(self._lot.randrange(20) / 1000)
            noise = speech(self._lot.randrange(*_NOISE_MS) // 20 * 0.02)
            self._pass(noise + _QUIET * 10)
            if self.engines.hearings and self.engines.hearings[-1].is_asked:
                self.engines.hearings[-1].understand("")
            self.exchange.advance(0.7)

    def heard(self) -> list[tuple[int, int]]:
        """:returns: what the ear heard: the place of each frame, and how much of it."""
        runs = groupby(self.line.listen())
        return [(byte - 1, len(list(run))) for byte, run in runs]

    def cuts(self) -> int:
        """:returns: how often the agent fell silent."""
        return len(self.line.arrivals("clear"))

    def hang_up(self) -> list[object]:
        """:returns: what is left when the caller has hung up."""
        self.line.stop()
        self.line.call = None
        return self.exchange.leftovers()

    def _pass(self, sound: bytes) -> None:
        for at in range(0, len(sound), 160):
            self.line.sound(sound[at : at + 160])
            self.exchange.advance(0.02)


class InterruptTests(SynchronousTestCase):
    """What the agent says on with, and what the ear has heard."""

    def assert_agree(self, delay: float, times: int) -> None:
        """Interrupt so often: no frame is missing, only what was cut comes again."""
        call = FuzzedCall(7, delay, minutes=times / 30)
        call.interrupt(times)
        heard = call.heard()
        self.assertGreater(call.cuts(), times * 0.9)
        places, sizes = [place for place, _ in heard], [size for _, size in heard[:-1]]
        self.assertEqual(places, [n % 119 for n in range(len(heard))])
        self.assertEqual([size for size in sizes if not 160 <= size < 320], [])
        self.assertEqual(call.hang_up(), [])

    def test_near(self) -> None:
        """Without delay, to the frame."""
        self.assert_agree(0.0, 15)

    def test_far(self) -> None:
        """With a delay, all the same."""
        self.assert_agree(0.08, 10)
