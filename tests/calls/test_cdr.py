"""Tests of ``twistedvoice.calls.cdr``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from twisted.internet.defer import succeed
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errors import QueueFull

from .doubles import ACCOUNT, EPOCH, FROM_NUMBER, TO_NUMBER, Exchange, Notebook, tone

__all__ = ["RecordTests"]


class RecordTests(SynchronousTestCase):
    """The record of a call in which much has happened."""

    def setUp(self) -> None:
        self.agent = Notebook()
        self.exchange = Exchange(agent=lambda: self.agent)
        self.exchange.services.trusted = False
        self.facts: Mapping[str, object] = {"recording": "2026/ca1.wav"}
        self.exchange.onlooker.facts = lambda: succeed(self.facts)
        self.exchange.advance(2)
        self.token = self.exchange.reserve().token
        line = self.exchange.open()
        line.start(token=self.token, secret_word="shibboleth")
        self.exchange.advance(0.5)
        for digit in "4711":
            line.press(digit)
        line.sound()
        line.echo("m99")
        self.agent.call.say(tone(990))
        self.exchange.advance(1.5)
        self.speak_with_a_hole()
        self.agent.call.say(tone(400))
        self.exchange.advance(0.1)
        self.agent.call.interrupt("speech")
        self.assertRaises(QueueFull, self.agent.call.say, tone(301_000))
        self.agent.call.say(tone(3000))
        self.exchange.advance(0.2)
        line.stop()
        [self.cdr] = self.exchange.cdrs

    def speak_with_a_hole(self) -> None:
        """Say something, with 200 ms in its middle that come too late."""
        utterance = self.agent.call.speak()
        utterance.write(tone(100))
        self.exchange.advance(0.3)
        utterance.write(tone(100))
        utterance.end()
        self.exchange.advance(0.7)

    def test_keys(self) -> None:
        """The record has these keys, and what the observers add."""
        self.assertEqual(
            set(self.cdr),
            {
                "session_id", "call_id", "account_id", "stream_id", "node_id", "agent",
                "started_at", "ended_at", "duration_ms", "outcome", "frames_in",
                "messages_in", "messages_bad", "messages", "most_waiting_ms",
                "first_audio_ms", "frames_queued", "frames_sent", "frames_flushed",
                "frames_rejected", "frames_dropped", "said_ms", "interrupts",
                "marks", "underruns", "underrun_ms", "underrun_ledger",
                "held_ticks", "tick_late_us", "first_heard_ms", "turns",
                "silence_ms", "recording", "spent",
            },
        )  # fmt: skip

    def test_is_json(self) -> None:
        """The record is one line of JSON that reads back as it was."""
        line = json.dumps(self.cdr)
        self.assertNotIn("\n", line)
        self.assertEqual(json.loads(line), self.cdr)

    def test_conserved(self) -> None:
        """Every frame is accounted for, each kind of end among them [OB-1]."""
        cdr: dict[str, Any] = dict(self.cdr)
        ends = [cdr[f"frames_{end}"] for end in ("sent", "flushed", "rejected")]
        self.assertTrue(all(ends), ends)
        self.assertGreater(cdr["frames_dropped"], 0)
        self.assertEqual(cdr["frames_queued"], sum(ends) + cdr["frames_dropped"])
        self.assertEqual(cdr["said_ms"], 20 * cdr["frames_sent"])

    def test_nothing_private(self) -> None:
        """It has no number, no digit that was pressed, no token, no parameter."""
        line = json.dumps(self.cdr)
        for private in (FROM_NUMBER, TO_NUMBER, "4711", self.token, "shibboleth"):
            self.assertNotIn(private, line)
            self.assertNotIn(private.lstrip("+"), line)

    def test_ids_and_times(self) -> None:
        """It says which call it was, when it began, and how long it lasted."""
        self.assertEqual(self.cdr["call_id"], "CA1")
        self.assertEqual(self.cdr["account_id"], ACCOUNT)
        self.assertEqual(self.cdr["session_id"], "session-1")
        self.assertEqual(self.cdr["node_id"], "node-a")
        began = datetime.fromisoformat(str(self.cdr["started_at"]))
        ended = datetime.fromisoformat(str(self.cdr["ended_at"]))
        self.assertEqual(began.timestamp(), EPOCH + 2)
        self.assertEqual((ended - began).total_seconds(), 3.3)
        self.assertEqual(self.cdr["duration_ms"], 3300)

    def test_what_was_said(self) -> None:
        """It says how soon, how often, and with what holes the service spoke."""
        cdr: dict[str, Any] = dict(self.cdr)
        self.assertGreater(cdr["first_audio_ms"], 500)
        self.assertLessEqual(cdr["first_audio_ms"], 520)
        self.assertEqual(cdr["interrupts"], 1)
        self.assertEqual(
            cdr["marks"], {"stray": 1, "played": 2, "cleared": 1, "lost": 1}
        )
        self.assertEqual(cdr["underruns"], {"agent": 1})
        [hole] = cdr["underrun_ledger"]
        self.assertLessEqual(abs(hole["length_ms"] - 200), 20)
        self.assertLessEqual(abs(hole["at_ms"] - 2110), 20)
        self.assertEqual(cdr["underrun_ms"], hole["length_ms"])

    def test_what_was_heard(self) -> None:
        """It says what came in."""
        self.assertEqual(self.cdr["frames_in"], 1)
        self.assertEqual(self.cdr["messages_in"], 11)
        self.assertEqual(self.cdr["messages_bad"], 0)
        self.assertEqual(
            self.cdr["messages"],
            {
                "start": 1, "media": 1, "digits": 4, "marks": 3, "stop": 1,
                "ignored": 1, "malformed": 0, "unread": 0,
            },
        )  # fmt: skip

    def test_queue_depth(self) -> None:
        """It says how much sound waited at the most, the refused left out."""
        self.assertEqual(self.cdr["most_waiting_ms"], 3000)

    def test_call_that_said_nothing(self) -> None:
        """A call in which nothing was said has a record of nothing."""
        exchange = Exchange()
        exchange.dial().stop()
        [cdr] = exchange.cdrs
        self.assertIsNone(cdr["first_audio_ms"])
        self.assertEqual(cdr["frames_queued"], 0)
        self.assertEqual(cdr["underrun_ledger"], [])
        json.dumps(cdr)
