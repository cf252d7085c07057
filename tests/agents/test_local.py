# -*- test-case-name: tests.agents.test_local -*-
"""Tests of the spoken dialogue, with engines that do what a test says."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.local import Local
from twistedvoice.errors import CarrierApiError
from twistedvoice.formats import MULAW_8K
from twistedvoice.testing import FakeCall

from .dialogues import FakeEngines, house, speech

_SILENCE = MULAW_8K.silence(8000)


class _Wilful(Local):
    """Goes its own way when appointments are wanted."""

    def understood(self, state: str, meaning: str) -> str | None:
        return "hours" if meaning == "on book" else None


class LocalTests(SynchronousTestCase):
    """One caller; every sentence lasts a second."""

    def setUp(self) -> None:
        self.call, self.engines = self.called(Local)

    def called(self, agent: type[Local]) -> tuple[FakeCall, FakeEngines]:
        """:returns: a call that has begun, and the engines of its agent."""
        made, engines = house(agent=agent)
        call = FakeCall(made())
        call.start()
        return call, engines

    def said(self) -> str:
        """:returns: the first letters of all that was said, a letter a second."""
        return self.call.said[::8000].decode()

    def answer(self, words: str, seconds: float = 1.0) -> None:
        """The caller hears all, says something, and the engine finds ``words``."""
        self.call.advance(3)
        self.speak(words, seconds)

    def speak(self, words: str, seconds: float = 1.0) -> None:
        """The caller says something at once, and the engine finds ``words``."""
        self.call.hear(speech(seconds) + _SILENCE[:1600])
        self.engines.hearings[-1].understand(words)

    def test_begins(self) -> None:
        """Greeting and first state are said at once."""
        self.assertEqual(self.said(), "WM")

    def test_understands(self) -> None:
        """An intent leads on; the statement that follows leads back."""
        self.answer("opening hours")
        self.call.advance(2)
        self.assertEqual(self.said(), "WMHM")
        hearing = self.engines.hearings[0]
        self.assertEqual(hearing.grammar, "main")
        self.assertTrue(hearing.is_closed)
        self.assertIn(speech(0.8), bytes(hearing.heard))

    def test_slots(self) -> None:
        """What fills a slot is said again where the text wants it."""
        self.answer("an appointment")
        self.answer("friday")
        self.answer("one oh two")
        self.call.advance(2)
        self.assertEqual(self.engines.spoken[-2:], ["Code for Friday.", "1, 0, 2?"])
        self.answer("yes")
        self.call.advance(2)
        self.assertEqual(self.said(), "WMDC1G")
        self.assertEqual(self.call.events[-1], ("ended", "hung_up"))

    def test_goes_on(self) -> None:
        """After what may go on the caller gets a while; more speech takes it back."""
        self.answer("an appointment")
        self.answer("friday")
        self.answer("one oh")
        self.call.advance(0.3)
        self.assertEqual(self.said(), "WMDC")
        self.speak("one oh two")
        self.call.advance(1)
        self.assertEqual(self.said(), "WMDC1")
        self.assertEqual(len(self.engines.hearings), 3)

    def test_enough_digits(self) -> None:
        """When nothing more comes, what is whole counts."""
        self.answer("an appointment")
        self.answer("friday")
        self.answer("one oh")
        self.call.advance(1)
        self.assertEqual(self.engines.spoken[-1], "1, 0?")

    def test_anywhere(self) -> None:
        """Some intents count in every state."""
        self.answer("repeat that")
        self.assertEqual(self.said(), "WMM")
        self.answer("goodbye")
        self.call.advance(2)
        self.assertTrue(self.call.ended)

    def test_not_understood(self) -> None:
        """The state is said again, and then comes what is left."""
        self.answer("opening")
        self.call.advance(1)
        self.assertEqual(self.said(), "WMSM")
        self.answer("")
        self.call.advance(1)
        self.assertIn(("transfer", "+15550100"), self.call.events)

    def test_silence(self) -> None:
        """A caller who says nothing is asked again, and then said goodbye to."""
        self.call.advance(30)
        self.assertEqual(self.said(), "WMSMG")
        self.assertTrue(self.call.ended)

    def test_must_end(self) -> None:
        """When the call must end, the goodbye takes the place of what is being said."""
        self.call.advance(0.2)
        self.call.agent.must_end("overspent")
        self.call.advance(2)
        self.assertEqual(self.said()[-1], "G")
        self.assertEqual(self.call.events[-1], ("ended", "hung_up"))

    def test_barge_in(self) -> None:
        """Speech silences the agent at once, and is understood from its beginning."""
        self.call.advance(0.5)
        self.speak("opening hours")
        self.assertEqual(self.call.events[0], ("interrupt", "barge_in"))
        heard_ms = len(self.call.heard) / 8
        self.assertLess(heard_ms, 500 + 300)
        self.assertEqual(self.said()[-1], "H")

    def test_cough(self) -> None:
        """A cough of 60 ms stops nothing."""
        self.call.advance(0.5)
        self.call.hear(speech(0.06) + _SILENCE)
        self.assertEqual(self.call.events, [])
        self.assertEqual(self.engines.hearings, [])

    def test_false_alarm(self) -> None:
        """After a sound that was no word the agent goes on where it was cut off."""
        self.call.advance(0.5)
        self.speak("", 0.4)
        self.call.advance(4)
        self.assertEqual(self.call.events, [("interrupt", "barge_in")])
        self.assertEqual(self.call.heard.count(b"W"), 8000)
        self.assertEqual(self.call.heard.count(b"M"), 8000)

    def test_protected(self) -> None:
        """Where a state says so nothing the caller does stops it."""
        self.answer("an appointment")
        self.answer("friday")
        self.call.advance(0.2)
        self.call.press("1")
        self.call.hear(speech(0.5) + _SILENCE[:1600])
        self.assertEqual(self.call.events, [])
        self.assertEqual(len(self.engines.hearings), 2)

    def test_keys(self) -> None:
        """A key counts as what it stands for, and digits as if they were said."""
        self.call.press("1")
        self.call.advance(1)
        self.assertEqual(self.said()[-2:], "HM")
        self.answer("an appointment")
        self.answer("friday")
        self.call.advance(2)
        self.call.press("47#")
        self.assertEqual(self.engines.spoken[-1], "4, 7?")

    def test_wrong_key(self) -> None:
        """A key without a meaning is answered as words without one."""
        self.call.advance(3)
        self.call.press("7")
        self.assertEqual(self.said(), "WMSM")

    def test_transfer_fails(self) -> None:
        """When nobody can be reached the caller is asked again."""
        self.call.transfer_error = CarrierApiError(
            "busy", status=500, code=None, retryable=True
        )
        self.answer("opening")
        self.call.advance(1)
        self.answer("opening")
        self.call.advance(1)
        self.assertFalse(self.call.ended)

    def test_engine_dies(self) -> None:
        """Without an answer of the engines it goes on as if nothing was said."""
        self.call.advance(3)
        self.call.hear(speech() + _SILENCE[:1600])
        self.engines.hearings[-1].die()
        self.assertEqual(self.said(), "WMSM")
        self.engines.is_dead = True
        self.call.advance(3)
        self.call.hear(speech())
        self.call.advance(30)
        self.assertEqual(self.said(), "WMSM")
        self.assertTrue(self.call.ended)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_author(self) -> None:
        """A subclass may lead elsewhere."""
        self.call, self.engines = self.called(_Wilful)
        self.answer("an appointment")
        self.assertEqual(self.said(), "WMH")
