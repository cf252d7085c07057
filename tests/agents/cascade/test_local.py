# -*- test-case-name: tests.agents.cascade.test_local -*-
"""Hearing and speaking on this machine: turns, interruptions, every failure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from tests.agents.model.cases import APOLOGY, FunctionCases, TurnCases
from tests.agents.model.freed import FreedCase
from tests.calls.doubles import Exchange
from tests.speech.engines import EngineReactor
from twistedvoice.agents.cascade.options import read_options
from twistedvoice.agents.cascade.services import Services
from twistedvoice.agents.workshop import Surroundings, Workshop, open_all
from twistedvoice.doubles.chat import ChatReply
from twistedvoice.errors import EngineError
from twistedvoice.formats import ALAW_8K, AudioFormat
from twistedvoice.testing import FakeCall

from .local import WHISTLE, LocalCase, LocalEngines, LocalTalk
from .talk import sound_of
from .test_agent import Talker

__all__ = [
    "FailureTests",
    "FreedTests",
    "FunctionTests",
    "InterruptTests",
    "TurnTests",
    "WorkshopTests",
]

HELLO = ChatReply(says="Hello there.")
TALE = ChatReply(says="Once upon a time there was a king. He had a very big house.")
KING = "Once upon a time there was a king."
ACCOUNT = {"llm.api_key": "any"}


class TurnTests(TurnCases, LocalCase):
    """Who says what, and when."""

    clerk = Talker

    def test_conversation(self) -> None:
        """The model greets and the caller is answered; nobody else is asked."""
        talk = self.talk(HELLO)
        talk.start(1.5)
        self.assertEqual(talk.call.heard, sound_of("Hello there."))
        talk.says("what is new", 3)
        self.assertEqual(
            talk.said(), [("assistant", "Hello there."), ("user", "what is new")]
        )
        wanted = ["Hello there.", "You said: what is new.", "Go on."]
        self.assertEqual(talk.spoken(), wanted)
        self.assertEqual(talk.call.heard, b"".join(map(sound_of, wanted)))
        self.assertIn(WHISTLE, talk.heard())
        self.assertEqual(talk.network.requests, [])

    def test_formats(self) -> None:
        """The engines are told what the call is carried in, and keep to it."""
        for sound in (ALAW_8K, AudioFormat("l16", 16000)):
            talk = self.talk(HELLO, sound=sound)
            talk.start(1.5)
            self.assertAlmostEqual(len(talk.call.said) / sound.bytes_per_second, 0.6, 1)

    def test_goes_on(self) -> None:
        """A caller who goes on before the words are there is answered once."""
        talk = self.talk(HELLO, transcripts=["my order", "is number four"])
        talk.engines.hearing_seconds = 0.8
        talk.start(1.5)
        talk.speak()
        talk.speak(3)
        self.assertEqual(talk.said()[1:], [("user", "my order is number four")])
        self.assertEqual(len(talk.chat.asked), 2)

    def test_endless(self) -> None:
        """A noise that does not end is answered after 20 seconds, time after time."""
        talk = self.talk(HELLO, transcripts=["noise", "more noise"])
        talk.start(1.5)
        talk.call.hear(WHISTLE * 24)
        self.assertEqual(talk.said()[1:], [("user", "noise")])
        talk.call.hear(WHISTLE * 24)
        self.assertEqual(talk.said()[-1], ("user", "more noise"))

    def test_one_of_two(self) -> None:
        """Each sense is chosen by itself, and what is elsewhere opened in time."""
        for options, sockets in (
            ({"hearing": "deepgram"}, "deepgram"),
            ({"speaking": "cartesia"}, "cartesia"),
        ):
            talk = self.talk(HELLO, options=options)
            self.assertEqual(len(talk.house.missing(ACCOUNT)), 1)
            talk.house.expect(FakeCall.call_id)
            [request] = talk.network.requests
            self.assertIn(sockets, request.url)
            talk.start(1.5)
            self.assertEqual(talk.call.heard, sound_of("Hello there."))
            self.assertEqual(len(talk.network.requests), 1)


class FunctionTests(FunctionCases, LocalCase):
    """Functions that the model calls."""

    clerk = Talker


class InterruptTests(LocalCase):
    """The caller speaks into what is said."""

    def test_silent_at_once(self) -> None:
        """Speech of 120 ms cuts it off, in the model's memory too."""
        talk = self.talk(TALE)
        talk.start(2)
        talk.call.hear(WHISTLE[: 120 * 8])
        self.assertEqual(talk.call.events, [("interrupt", "speech")])
        self.assertFalse(talk.call.is_playing)
        talk.says("stop", 1)
        (_, told), said = talk.said()
        self.assertTrue(told and KING.startswith(told) and told != KING, told)
        self.assertEqual(said, ("user", "stop"))

    def test_click(self) -> None:
        """A click cuts nothing off."""
        talk = self.talk(TALE)
        talk.start(2)
        talk.call.hear(WHISTLE[: 80 * 8])
        talk.call.advance(5)
        self.assertEqual(talk.call.events, [])

    def test_no_words(self) -> None:
        """What a cough has cut off the model is asked to go on with."""
        talk = self.talk(TALE, ChatReply(says="So he had."))
        talk.start(2)
        talk.says("", 3)
        roles = [role for role, _ in talk.said()]
        self.assertEqual(roles, ["assistant", "user"])
        self.assertIn("broken off", talk.said()[-1][1])
        self.assertTrue(talk.call.heard.endswith(sound_of("So he had.")))

    def test_cough_in_silence(self) -> None:
        """A cough while nothing is said means nothing to the model."""
        talk = self.talk(HELLO)
        talk.start(3)
        talk.says("", 3)
        self.assertEqual(len(talk.chat.asked), 1)


class FailureTests(LocalCase):
    """Engines that are gone, busy or stuck."""

    def assert_apologised(self, talk: LocalTalk) -> None:
        """The caller hears the apology, and is hung up on."""
        talk.call.advance(20)
        self.assertTrue(talk.call.heard.endswith(APOLOGY))
        self.assertEqual(talk.call.events[-1], ("ended", "hung_up"))

    def test_ear_dies(self) -> None:
        """What an engine did not live to say is heard by the next one."""
        talk = self.talk(HELLO)
        talk.start(1.5)
        talk.engines.stuck.add("transcribe")
        talk.says("are you there")
        talk.engines.newest("transcribe").die()
        talk.engines.stuck.clear()
        talk.call.advance(5)
        self.assertEqual(talk.said()[-1], ("user", "are you there"))
        self.assertIn(WHISTLE, talk.heard())

    def test_ear_stays_away(self) -> None:
        """Without any ear the caller waits as long as for an answer."""
        talk = self.talk(HELLO, settings={"answer_seconds": 4})
        talk.start(1.5)
        talk.engines.stuck.add("transcribe")
        talk.speak()
        self.assertEqual(talk.call.heard, sound_of("Hello there."))
        self.assert_apologised(talk)

    def test_voice_dies(self) -> None:
        """A sentence of which nothing has come is spoken by the next engine."""
        talk = self.talk(HELLO)
        talk.engines.newest("speak").die()
        talk.start(3)
        self.assertEqual(talk.call.heard, sound_of("Hello there."))

    def test_voice_breaks_off(self) -> None:
        """Of a sentence that breaks off the rest is missing, and the next comes."""
        talk = self.talk(TALE)
        talk.engines.stuck.add("speak")
        talk.start(1)
        voice = talk.engines.newest("speak")
        voice.answer(b"A", 1, sound_of("Once"))
        voice.die()
        talk.engines.stuck.clear()
        talk.call.advance(6)
        rest = sound_of("He had a very big house.")
        self.assertEqual(talk.call.heard, sound_of("Once") + rest)

    def test_voice_stays_away(self) -> None:
        """Without any voice the caller hears the apology, which is a file."""
        talk = self.talk(HELLO, settings={"answer_seconds": 4})
        talk.engines.stuck.add("speak")
        talk.start(3)
        self.assertEqual(talk.call.heard, b"")
        self.assert_apologised(talk)

    def test_log(self) -> None:
        """Whatever fails, the log has no word of what was said."""
        events: list[LogEvent] = []
        observer: Any = events.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        talk = self.talk(ChatReply(says="aardvark"))
        talk.start(1.5)
        talk.says("zebra")
        for process in list(talk.engines.processes):
            process.die()
        talk.call.advance(20)
        self.assertEqual(talk.said()[-1], ("user", "zebra"))
        text = "\n".join(f"{formatEvent(event)} {event}" for event in events)
        self.assertIn("has died", text)
        self.assertNotRegex(text, "zebra|aardvark")


class FreedTests(FreedCase):
    """A call with engines is freed by its last reference, as every call is."""

    def test_freed(self) -> None:
        """Ended while it is heard and an answer is spoken, nothing of it stays."""
        for stuck in ("transcribe", "speak"):
            engines = LocalEngines()
            exchange = Exchange(clock=engines)
            talk = LocalTalk(HELLO, TALE, clock=engines)
            engines.stuck.add(stuck)
            exchange.make_agent = talk.house
            line = exchange.dial()
            exchange.advance(1.0)
            for start in range(0, len(WHISTLE), 160):
                line.sound(WHISTLE[start : start + 160])
                exchange.advance(0.02)
            for _ in range(40):
                line.sound(b"\xff" * 160)
                exchange.advance(0.02)
            self.assert_freed(exchange, line, "_ears", "_speech", "_ears._attempts")


class WorkshopTests(LocalCase):
    """The engines, which are there before the first call and until the last."""

    def surroundings(self, reactor: EngineReactor) -> Surroundings:
        """:returns: those of a service."""
        return Surroundings(reactor=reactor, defer_to_thread=maybeDeferred, cache=None)

    def test_elsewhere(self) -> None:
        """A cascade of services elsewhere starts nothing, and is open at once."""
        reactor = EngineReactor()
        services = Services(Talker, read_options({}, Path()))
        self.assertIsInstance(services, Workshop)
        self.successResultOf(services.open_workshop(self.surroundings(reactor)))
        self.successResultOf(services.close_workshop())
        self.assertEqual(reactor.processes, [])

    def test_accounts(self) -> None:
        """With both on this machine only the chat has an account."""
        talk = self.talk(HELLO)
        talk.start(1)
        self.assertEqual(talk.house.missing(ACCOUNT), [])
        self.assertEqual(len(talk.house.missing({})), 1)

    def test_last_call(self) -> None:
        """The engines stay until the last call has ended."""
        talk = self.talk(HELLO)
        talk.start(1)
        closing = talk.house.close_workshop()
        events: list[Any] = [process.events for process in talk.engines.processes]
        self.assertEqual(events, [[], []])
        talk.call.caller_hangs_up()
        self.assertEqual(events, [["closed"], ["closed"]])
        for process in talk.engines.processes:
            process.die()
        self.successResultOf(closing)

    def test_cannot_open(self) -> None:
        """Without engines it does not open, and leaves nothing running."""
        talk = LocalTalk()
        reactor = EngineReactor()
        opening = open_all([talk.house], self.surroundings(reactor))
        for _ in range(6):
            for process in reactor.processes:
                if not process.protocol.is_gone:
                    process.die()
            reactor.advance(1)
        self.failureResultOf(opening, EngineError)
        self.assertEqual(reactor.getDelayedCalls(), [])
