"""Tests for :mod:`twistedvoice.simulator.turns`, and how the service agrees with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from twisted.internet.task import LoopingCall
from twisted.trial.unittest import SynchronousTestCase

from tests.calls.doubles import Exchange, Notebook, tone
from tests.simulator.babble import babble
from twistedvoice.audio import pcm
from twistedvoice.calls.call import Call
from twistedvoice.calls.talkspurts import Talkspurts
from twistedvoice.carriers.twilio.dialect import TwilioDialect
from twistedvoice.events import Message
from twistedvoice.formats import MULAW_8K
from twistedvoice.simulator.caller import SimulatedCall
from twistedvoice.simulator.journal import Journal
from twistedvoice.simulator.report import report
from twistedvoice.simulator.script import HangUp, Press, Say, Script, Step, Wait
from twistedvoice.simulator.turns import cuts, turns
from twistedvoice.simulator.wire import StreamWriter

__all__ = ["AgreementTests", "CutTests", "TurnTests"]

WORDS = pcm.encode(babble(2, 1.2), MULAW_8K)


def journal_of(
    *played: tuple[float, float], said: Sequence[tuple[int, int]] = (), **times: float
) -> Journal:
    """
    :param played: what the ear heard; each frame came 60 ms before.
    :param said: from when to when the caller spoke.
    :param times: when something happened, by its kind.
    """
    journal = Journal(played=list(played), duration_ms=20_000)
    for from_ms, until_ms in played:
        for plays_ms in range(int(from_ms), int(until_ms), 20):
            journal.arrivals.append((plays_ms - 60.0, 160))
    for began_ms, done_ms in said:
        journal.said += b"\xff" * (began_ms * 8 - len(journal.said))
        journal.said += b"\x10" * ((done_ms - began_ms) * 8)
    journal.said += b"\xff" * (20_000 * 8 - len(journal.said))
    for kind, at_ms in times.items():
        journal.note(at_ms, kind)
    return journal


class TurnTests(SynchronousTestCase):
    """Which sound answers what."""

    def assertTurns(self, journal: Journal, *found: tuple[str, float, float]) -> None:
        """Check what each came after, and what wire and ear waited."""
        self.assertEqual(
            [(turn.after, turn.wire_ms, turn.heard_ms) for turn in turns(journal)],
            list(found),
        )

    def test_answer(self) -> None:
        """The first sound after the caller's words is the answer to them."""
        journal = journal_of(
            (100, 900), (2500, 3000), (4000, 5000), said=[(1000, 2000)]
        )
        self.assertTurns(journal, ("speech", 440, 500))

    def test_key(self) -> None:
        """So it is after a key, where the words before were cut off."""
        journal = journal_of((100, 1040), (1200, 3000), digit=1000.0, clear=1040.0)
        self.assertTurns(journal, ("key", 140, 200))

    def test_talks_on(self) -> None:
        """A service that talks on, or over the caller, has answered nothing."""
        for played in ((100, 2500), (3000, 4000)), ((1500, 2500),):
            self.assertTurns(journal_of(*played, said=[(1000, 2000)]))

    def test_came_before(self) -> None:
        """What waited in the buffer when the caller was done is no answer."""
        self.assertTurns(journal_of((2040, 3000), said=[(1000, 2000)]))

    def test_nothing(self) -> None:
        """A call in which nothing was said or heard has no turns."""
        self.assertTurns(Journal())


class CutTests(SynchronousTestCase):
    """How soon the caller has silence."""

    def test_from_what_the_caller_did(self) -> None:
        """A clear is counted from the caller's key, or first word."""
        self.assertEqual(cuts(journal_of(digit=1000.0, clear=1045.0)), [45.0])
        spoken = journal_of(said=[(1000, 2000)], clear=1300.0)
        self.assertEqual(cuts(spoken), [300.0])

    def test_by_itself(self) -> None:
        """A service that clears unasked cut nothing off for the caller."""
        self.assertEqual(cuts(journal_of(clear=1300.0)), [])


class Answerer(Notebook):
    """Answers words 300 ms after their end, and a key at once."""

    def call_started(self, call: Any) -> None:
        """Greet, and listen."""
        super().call_started(call)
        call.say(tone(500))
        self.talkspurts = Talkspurts(MULAW_8K, lambda: 0, self)

    def audio_heard(self, payload: bytes, timestamp_ms: int) -> None:
        """Hear whether the caller is done."""
        self.talkspurts.listen(payload, timestamp_ms)

    def speech_began(self, at_us: int) -> None:
        """Wait."""

    def speech_ended(self, at_us: int) -> None:
        """Answer."""
        self.call.call_later(0.05, lambda: self.tell(2000))

    def digit_pressed(self, digit: str) -> None:
        """Answer."""
        self.call.interrupt("key")
        self.tell(900)

    def tell(self, milliseconds: int) -> None:
        """Say something."""
        self.call.say(tone(milliseconds))


class Cable:
    """Joins a simulated call and the service in virtual time, with a delay each way."""

    writable = True

    def __init__(self, exchange: Exchange, delay: float, *steps: Step) -> None:
        self._clock = exchange.clock
        self._delay = delay
        self.journal = Journal(call_id="CA1")
        self._far = SimulatedCall(
            StreamWriter(stream_id="MZ1", call_id="CA1", account_id="AC1"),
            Script(steps),
            self.journal,
            jitter_ms=60,
            max_ms=20_000,
        )
        self._call: Call = exchange.switchboard.connect(self, TwilioDialect())
        self._began = exchange.clock.seconds()
        self._send(self._far.start({}))
        ticks = LoopingCall(lambda: self._send(self._far.tick(self._now_ms())))
        ticks.clock = exchange.clock
        ticks.start(0.02, now=False)
        self.stop = ticks.stop

    def frame(self, message: Message) -> bytes:
        """:returns: the message; this wire has no frames."""
        return message.data

    def write(self, wire: bytes) -> None:
        """The service says something."""
        self._later(lambda: self._send(self._far.receive(wire, False, self._now_ms())))

    def close(self, reason: str) -> None:
        """The service is done."""

    def _send(self, messages: list[str]) -> None:
        for text in messages:
            message = Message(text.encode(), False)
            self._later(partial(self._call.inbound.message_received, message))

    def _later(self, deed: Callable[[], object]) -> None:
        self._clock.callLater(self._delay, deed)

    def _now_ms(self) -> float:
        return round((self._clock.seconds() - self._began) * 1e6) / 1000


class AgreementTests(SynchronousTestCase):
    """What the service says its caller waited for is what its caller did wait for."""

    def figures(self, delay: float) -> tuple[Any, Any]:
        """:returns: the caller's report and the service's record of one call."""
        exchange = Exchange(agent=Answerer)
        steps = (
            Wait(1500), Say(WORDS), Wait(4000), Press("1"), Wait(400), Press("2"),
            Wait(2000), HangUp(),
        )  # fmt: skip
        cable = Cable(exchange, delay, *steps)
        exchange.advance(12)
        cable.stop()
        [cdr] = exchange.cdrs
        return report(cable.journal), cdr

    def test_agree(self) -> None:
        """At the ear they differ by a frame; on the wire by the ways to and fro too."""
        for delay_ms in (0, 30):
            seen, cdr = self.figures(delay_ms / 1000)
            ways_ms = 2 * delay_ms
            for after in ("speech", "key"):
                mine = [turn for turn in seen["turns"] if turn["after"] == after]
                theirs = cdr["turns"][after]
                self.assertEqual(len(mine), theirs["count"], after)
                for where, way_ms in (("wire_ms", ways_ms), ("heard_ms", 0)):
                    longest = max(turn[where] for turn in mine)
                    off = longest - theirs[where]["max"] - way_ms
                    self.assertLessEqual(abs(off), 20, (after, where, delay_ms))
            off = seen["first_heard_ms"] - cdr["first_heard_ms"]
            self.assertLessEqual(abs(off), 20)
            self.assertEqual(len(seen["turns"]), 3)
            cut_ms = cdr["silence_ms"]["max"] + ways_ms
            self.assertLessEqual(abs(seen["cut_ms"]["max"] - cut_ms), 20)
