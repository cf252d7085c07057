"""What the log may know of a call, and what it must not [OB-4, SEC-5]."""

from __future__ import annotations

from typing import cast

from twisted.internet.defer import fail
from twisted.logger import ILogObserver, LogEvent, eventAsText, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errors import CarrierApiError
from twistedvoice.events import Message

from .doubles import FROM_NUMBER, TO_NUMBER, Exchange, HangUps, Notebook, tone

__all__ = ["LogTests"]


class Blunt(Notebook):
    """An agent that fails at one key, hangs up at another, and presses some itself."""

    def digit_pressed(self, digit: str) -> None:
        if digit == "2":
            self.call.send_digits("86420w#")
        if digit == "#":
            raise ValueError("no such menu")
        if digit == "7":
            raise KeyError(digit)
        if digit == "*":
            self.call.hang_up()


class LogTests(SynchronousTestCase):
    """The log of a call in which much went wrong."""

    def setUp(self) -> None:
        self.events: list[LogEvent] = []
        exchange = Exchange(agent=Blunt)
        exchange.services.trusted = False
        exchange.services.hang_up_by_control = True
        control = exchange.services.control = HangUps()
        control.answer = fail(
            CarrierApiError("busy", status=500, code=None, retryable=True)
        )
        self.token = exchange.reserve().token
        observer = cast("ILogObserver", self.events.append)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        line = exchange.open()
        line.start(token=self.token)
        for _ in range(100):
            line.sound()
            exchange.advance(0.02)
        for digit in "90210":
            line.press(digit)
        for junk in (b'{"event":"dtmf","dtmf":{"digit":"90210"}}', b"{", b"[]"):
            line.receive(Message(junk, False))
        [call] = exchange.switchboard
        call.voice.say(tone(2000))
        exchange.advance(1)
        line.press("#")
        exchange.reserve("CA2")
        other = exchange.open("CA2")
        other.start(token="guessed")
        third = exchange.open("CA3")
        third.start(token=exchange.reserve("CA3").token)
        third.press("*")
        keyed = exchange.open("CA4")
        keyed.start(token=exchange.reserve("CA4").token)
        keyed.press("7")
        self.assertEqual(
            [each.closed for each in (line, other, third, keyed)],
            [["failed"], ["refused"], ["hung_up"], ["failed"]],
        )
        self.flushLoggedErrors(ValueError, KeyError, CarrierApiError)

    def test_nothing_private(self) -> None:
        """No number, digit, token or sound is in it, whoever raised what."""
        text = "\n".join(
            eventAsText(event, includeTimestamp=False) for event in self.events
        )
        self.assertNotIn("no such menu", text)
        fields = repr([{**event, "log_failure": None} for event in self.events])
        for private in (FROM_NUMBER, TO_NUMBER, "90210", "8642", self.token, "guessed"):
            self.assertNotIn(private, text)
            self.assertNotIn(private, fields)

    def test_fault_of_an_agent(self) -> None:
        """What an agent raised is named with its place, and not what it says."""
        [event] = [
            event
            for event in self.events
            if event.get("log_failure") and event["log_failure"].check(KeyError)
        ]
        text = eventAsText(event, includeTimestamp=False)
        self.assertRegex(text, r"KeyError: raised at\n(.*\n)*.*test_private\.py:\d+")
        self.assertIn("in digit_pressed", text)
        self.assertNotIn("'7'", text)
        self.assertNotIn("'7'", repr(vars(event["log_failure"])))

    def test_every_event_names_its_call(self) -> None:
        """Each event of a call has its id, as a field of its own."""
        ours = [
            event
            for event in self.events
            if event["log_namespace"].startswith("twistedvoice")
        ]
        self.assertTrue(ours)
        self.assertEqual([e for e in ours if not e.get("call_id")], [])

    def test_nothing_per_frame(self) -> None:
        """Hundreds of frames are a handful of events."""
        self.assertLess(len(self.events), 12)
