"""Tests of ``twistedvoice.calls.latency``: what the caller waits for."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.calls.latency import After, Latencies, Waits

from .doubles import BinaryLine, Exchange, Line, Notebook, tone

__all__ = ["CallTests", "TurnsTests"]

MS = 1_000


class TurnsTests(SynchronousTestCase):
    """The accountant alone."""

    def setUp(self) -> None:
        self.latencies = Latencies()
        self.waits = Waits(self.latencies)

    def says(self, began_ms: int, ended_ms: int) -> None:
        """The caller says something."""
        self.waits.speech_began(began_ms * MS)
        self.waits.speech_ended(ended_ms * MS)

    def spoke(self, from_ms: int, until_ms: int, delay_ms: int | None = None) -> None:
        """The agent has said something."""
        delay_us = None if delay_ms is None else delay_ms * MS
        self.waits.spoke(from_ms * MS, until_ms * MS, delay_us)

    def assertTurns(self, *turns: tuple[After, int]) -> None:
        """Check what each answer came after, and how long the wire waited for it."""
        found = [(after, wait.wire_us // MS) for after, wait in self.waits.kept]
        self.assertEqual(found, list(turns))

    def test_answer(self) -> None:
        """The first thing said after the caller's end is a turn; the second is none."""
        self.says(1000, 2000)
        self.spoke(2300, 3000)
        self.spoke(3500, 4000)
        self.assertTurns(("speech", 300))

    def test_key(self) -> None:
        """A key is answered too, and counted apart; the last of several counts."""
        for at_ms in (1000, 1200):
            self.waits.key_pressed(at_ms * MS)
        self.spoke(1350, 2000)
        self.assertTurns(("key", 150))
        self.assertEqual(self.latencies.turn["key"].count, 1)
        self.assertEqual(self.latencies.turn["speech"].count, 0)

    def test_pause(self) -> None:
        """A caller who went on to speak was not done at the pause."""
        self.says(1000, 2000)
        self.says(2400, 3000)
        self.spoke(3100, 4000)
        self.assertTurns(("speech", 100))

    def test_talks_over_the_caller(self) -> None:
        """An agent that begins while the caller speaks answers nothing."""
        self.says(1000, 2000)
        self.waits.speech_began(2500 * MS)
        self.spoke(2700, 2900)
        self.waits.speech_ended(3000 * MS)
        self.assertTurns()
        self.says(4000, 5000)
        self.says(5500, 6500)
        self.spoke(6000, 7000)
        self.assertTurns()

    def test_talks_on(self) -> None:
        """An agent that talks on when the caller is done answers nothing either."""
        self.says(1000, 2000)
        self.spoke(500, 2500)
        self.spoke(2500, 3000)
        self.assertTurns()

    def test_cut_off(self) -> None:
        """What was cut off after the caller's end does not hide the answer."""
        self.waits.key_pressed(1000 * MS)
        self.spoke(100, 1001)
        self.waits.interrupted(1001 * MS, 1001 * MS, cut=True)
        self.spoke(1010, 2000)
        self.assertTurns(("key", 10))

    def test_not_cut_off(self) -> None:
        """Where the carrier plays on, its silence would be counted, not the answer."""
        self.waits.key_pressed(1000 * MS)
        self.spoke(100, 1101)
        self.waits.interrupted(1001 * MS, 1101 * MS, cut=False)
        self.spoke(1101, 2000)
        self.assertTurns()
        facts: Any = self.waits.facts()
        self.assertEqual(facts["silence_ms"]["max"], 100)

    def test_told_late(self) -> None:
        """An answer is known when it ends; what the caller did meanwhile waits."""
        self.says(1000, 2000)
        self.says(5000, 5500)
        self.spoke(2100, 4800)
        self.spoke(5900, 6000)
        self.assertTurns(("speech", 100), ("speech", 400))

    def test_ear(self) -> None:
        """The ear is behind by what the last mark said, or, before any, the first."""
        self.waits.answered(100 * MS)
        self.spoke(150, 800)
        self.assertEqual(self.latencies.first_heard.count, 0)
        self.spoke(850, 900, 80)
        self.assertEqual(self.latencies.first_heard.total, 130 * MS)
        self.says(1000, 2000)
        self.spoke(2300, 3000)
        self.assertEqual(self.latencies.turn_heard["speech"].total, 380 * MS)
        self.waits.over()
        facts: Any = self.waits.facts()
        self.assertEqual(facts["first_heard_ms"], 130)
        self.assertEqual(facts["turns"]["speech"]["heard_ms"]["max"], 380)

    def test_no_mark(self) -> None:
        """Where no mark ever tells, the ear is taken to be not behind at all."""
        self.waits.answered(100 * MS)
        self.spoke(150, 800)
        self.waits.over()
        self.assertEqual(self.waits.facts()["first_heard_ms"], 50)
        self.assertEqual(self.latencies.first_heard.total, 50 * MS)

    def test_facts(self) -> None:
        """The record has how many, the median, the 95th percentile and the most."""
        for number in range(1, 41):
            self.says(number * 10_000 - 500, number * 10_000)
            self.spoke(number * 10_010, number * 10_010 + 100)
        self.waits.over()
        self.assertEqual(
            self.waits.facts()["turns"],
            {
                "speech": {
                    "count": 40,
                    "wire_ms": {"p50": 200, "p95": 380, "max": 400},
                    "heard_ms": {"p50": 200, "p95": 380, "max": 400},
                },
                "key": {
                    "count": 0,
                    "wire_ms": {"p50": None, "p95": None, "max": None},
                    "heard_ms": {"p50": None, "p95": None, "max": None},
                },
            },
        )

    def test_bounds(self) -> None:
        """However long a call is, no more than a thousand turns of it are kept."""
        for number in range(1, 1102):
            self.waits.key_pressed(number * 1000 * MS)
            self.spoke(number * 1000 + 1, number * 1000 + 2)
        self.assertEqual(len(self.waits.kept), 1000)
        self.assertEqual(self.waits.counts["key"], 1101)
        self.assertEqual(self.latencies.turn["key"].count, 1101)
        self.assertEqual(self.latencies.turn_heard["key"].count, 1000)
        self.waits.over()
        self.assertEqual(self.latencies.turn_heard["key"].count, 1101)


class CallTests(SynchronousTestCase):
    """Whole calls in virtual time."""

    def setUp(self) -> None:
        self.agent = Notebook()
        self.exchange = Exchange(agent=lambda: self.agent)

    def dial(self, **options: Any) -> Line:
        """:returns: a line whose caller has heard a greeting."""
        line = self.exchange.dial(**options)
        self.exchange.advance(0.1)
        self.agent.call.say(tone(300, self.agent.call.format))
        self.exchange.advance(1)
        return line

    def facts(self, line: Line) -> Any:
        """:returns: the record of the call, which ends."""
        line.stop()
        self.exchange.advance(1)
        return self.exchange.cdrs[-1]

    def caller_says(self, line: Line, milliseconds: int) -> None:
        """The caller speaks, and is then quiet for 400 ms."""
        for number in range((milliseconds + 400) // 20):
            loud = number * 20 < milliseconds
            line.sound(tone(20) if loud else b"\xff" * 160)
            self.exchange.advance(0.02)

    def test_speech(self) -> None:
        """From the caller's last frame to our first: known without the agent."""
        line = self.dial()
        self.caller_says(line, 600)
        self.agent.call.say(tone(200))
        self.exchange.advance(1)
        cdr = self.facts(line)
        turns = cdr["turns"]["speech"]
        self.assertEqual(turns["count"], 1)
        # The last loud frame came 420 ms before, and the next tick is within 20 ms.
        self.assertGreaterEqual(turns["wire_ms"]["max"], 420)
        self.assertLessEqual(turns["wire_ms"]["max"], 440)

    def test_first_heard(self) -> None:
        """With a delay each way the ear is behind the wire by no more than both."""
        line = self.dial(delay=0.05)
        cdr = self.facts(line)
        behind_ms = cdr["first_heard_ms"] - cdr["first_audio_ms"]
        self.assertGreaterEqual(behind_ms, 50)
        self.assertLessEqual(behind_ms, 120)

    def test_words_that_end_late(self) -> None:
        """A mark that is sent long after the sound does not put the ear behind."""
        line = self.exchange.dial()
        utterance = self.agent.call.speak()
        utterance.write(tone(100))
        self.exchange.advance(1)
        utterance.end()
        self.exchange.advance(1)
        cdr = self.facts(line)
        self.assertEqual(cdr["first_heard_ms"], cdr["first_audio_ms"])

    def test_key_that_interrupts(self) -> None:
        """A key that cuts a story off is answered within one period."""
        line = self.dial()
        self.agent.call.say(tone(5000))
        self.exchange.advance(0.5)
        line.press("1")
        self.agent.call.interrupt("key")
        self.agent.call.say(tone(200))
        self.exchange.advance(1)
        cdr = self.facts(line)
        self.assertEqual(cdr["turns"]["key"]["count"], 1)
        self.assertLessEqual(cdr["turns"]["key"]["wire_ms"]["max"], 20)
        self.assertEqual(cdr["silence_ms"]["max"], 0)

    def test_carrier_without_clear(self) -> None:
        """Silence comes when what the carrier holds has played."""
        line = self.dial(line_class=BinaryLine)
        self.agent.call.say(tone(5000, self.agent.call.format))
        self.exchange.advance(0.5)
        [call] = self.exchange.switchboard
        held_us = call.stream.playout.playing_until_us - call.now_us()
        self.agent.call.interrupt("key")
        self.assertGreater(held_us, 0)
        cdr = self.facts(line)
        self.assertEqual(cdr["silence_ms"]["max"], held_us / 1000)

    def test_nothing_said(self) -> None:
        """A call in which nothing was said has no figures, and a record."""
        line = self.exchange.dial()
        line.stop()
        [cdr] = self.exchange.cdrs
        self.assertIsNone(cdr["first_heard_ms"])
