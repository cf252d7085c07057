# -*- test-case-name: tests.agents.cascade.test_agent -*-
"""A caller and the cascade, in virtual time: turns, interruptions, every failure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from tests.agents.model.cases import (
    APOLOGY,
    ClerkTools,
    FailureCases,
    FunctionCases,
    TurnCases,
)
from twistedvoice.agents import menufile
from twistedvoice.agents.cascade.agent import Cascade
from twistedvoice.agents.cascade.services import Services
from twistedvoice.agents.cascade.speech import heard_words
from twistedvoice.agents.model.memory import Line
from twistedvoice.agents.tools import tool
from twistedvoice.doubles.cartesia import Mishap
from twistedvoice.doubles.chat import ChatReply
from twistedvoice.formats import ALAW_8K, AudioFormat
from twistedvoice.testing import FakeCall

from .talk import ACCOUNTS, SPEECH, Talk, TalkCase, sound_of

PROMPTS = Path(menufile.__file__).parent / "prompts"
HELLO = ChatReply(says="Hello there.")
TALE = ChatReply(says="Once upon a time there was a king. He had a very big house.")
KING = "Once upon a time there was a king."


class Clerk(Cascade):
    """Has functions, and listens to what was said."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.lines: list[Line] = []
        self.asked: list[str] = []
        self.found: Deferred[object] = Deferred()

    def transcribed(self, line: Line) -> None:
        self.lines.append(line)

    @tool("Look an order up.", {"number": {"type": "string"}})
    def order(self, number: str) -> object:
        self.asked.append(number)
        return self.found


class Talker(ClerkTools, Cascade):
    """The functions of all agents' tests."""


class TurnTests(TurnCases, TalkCase):
    """Who says what, and when."""

    clerk = Talker

    def test_conversation(self) -> None:
        """The model greets, the caller speaks, and is answered with all in mind."""
        settings = {"instructions": "You are a clerk.", "opening": "Greet."}
        talk = self.talk(HELLO, settings=settings)
        talk.start(1.5)
        self.assertEqual(
            talk.chat.messages(),
            [
                {"role": "system", "content": "You are a clerk."},
                {"role": "user", "content": "Greet."},
            ],
        )
        self.assertEqual(talk.call.heard, sound_of("Hello there."))
        talk.says("what is new", 3)
        self.assertEqual(
            talk.said(), [("assistant", "Hello there."), ("user", "what is new")]
        )
        self.assertEqual(
            talk.cartesia.texts(), ["Hello there.", "You said: what is new.", "Go on."]
        )
        heard = b"".join(sound_of(text) for text in talk.cartesia.texts())
        self.assertEqual(talk.call.heard, heard)
        self.assertTrue(bytes(talk.hearing.heard).startswith(SPEECH))

    def test_speaks_early(self) -> None:
        """The first sentence is heard while the model still makes the second."""
        talk = self.talk(TALE)
        talk.chat.plan.word_seconds = 0.1
        talk.start(1.1)
        self.assertEqual(talk.cartesia.texts(), [KING])
        self.assertGreater(len(talk.call.heard), 0)
        talk.call.advance(6)
        self.assertEqual(talk.call.heard, sound_of(TALE.says.replace(". ", ".  ")))

    def test_one_after_the_other(self) -> None:
        """A sentence goes to the voice once little of the last is to be heard."""
        long = "word " * 55
        talk = self.talk(ChatReply(says=f"{long}. And then. The end."))
        talk.start(5)
        self.assertEqual(len(talk.cartesia.texts()), 1)
        talk.call.advance(15)
        self.assertEqual(len(talk.cartesia.texts()), 3)

    def test_formats(self) -> None:
        """Every service is told what the call is carried in; nothing is transcoded."""
        for sound, names in (
            (ALAW_8K, ("alaw", "8000", "pcm_alaw", 8000)),
            (AudioFormat("l16", 16000), ("linear16", "16000", "pcm_s16le", 16000)),
        ):
            talk = self.talk(HELLO, sound=sound)
            talk.start(1.5)
            query, told = talk.hearing.query, talk.speaking.told[0]["output_format"]
            self.assertEqual(
                names,
                (
                    query["encoding"],
                    query["sample_rate"],
                    told["encoding"],
                    told["sample_rate"],
                ),
            )
            self.assertAlmostEqual(len(talk.call.said) / sound.bytes_per_second, 0.6, 1)

    def test_greeting_file(self) -> None:
        """A greeting is said at once; the model knows what is said in it."""
        path = str(PROMPTS / "welcome.wav")
        talk = self.talk(settings={"greeting": path, "greeting_text": "Welcome!"})
        talk.start(0.1)
        self.assertGreater(len(talk.call.heard), 0)
        self.assertEqual(talk.chat.asked, [])
        talk.call.advance(10)
        talk.says("hello", 1)
        self.assertEqual(talk.said(), [("assistant", "Welcome!"), ("user", "hello")])

    def test_kept_alive_while_deaf(self) -> None:
        """The caller is not heard before the greeting is, and the socket stays."""
        story = {"greeting": str(PROMPTS / "story.wav")}
        for settings in ({}, story):
            words = ChatReply(says="word " * 40 + ".")
            talk = self.talk(words, settings={"protect_greeting": True, **settings})
            talk.start(1)
            talk.speak(10)
            self.assertEqual(bytes(talk.hearing.heard), b"")
            self.assertIn({"type": "KeepAlive"}, talk.hearing.told)
            talk.call.advance(30)
            talk.says("hello", 1)
            self.assertEqual(talk.said()[-1], ("user", "hello"))

    def test_first_words_are_not_lost(self) -> None:
        """What the caller says before the sockets are there is passed on."""
        talk = self.talk(HELLO, delay=0.3)
        call = talk.start()
        call.hear(SPEECH[:1600])
        call.advance(2)
        self.assertEqual(bytes(talk.hearing.heard), SPEECH[:1600])

    def test_caller_goes_on(self) -> None:
        """A caller who was only thinking is answered once, with all that was said."""
        talk = self.talk(HELLO)
        talk.chat.plan.think_seconds = 1.0
        talk.start(3)
        talk.says("I would like")
        talk.says("a table", 4)
        self.assertEqual(talk.said()[-1], ("user", "I would like a table"))
        self.assertEqual(talk.chat.broken_off, 1)
        self.assertEqual(talk.cartesia.texts()[1], "You said: I would like a table.")


class HearingTests(TalkCase):
    """The end of a turn, however it is told."""

    def test_pieces(self) -> None:
        """The final pieces of a turn are one text."""
        talk = self.talk(HELLO)
        talk.deepgram.plan.pieces = 2
        talk.start(2)
        talk.says("one two three four", 1)
        self.assertEqual(talk.said()[-1], ("user", "one two three four"))

    def test_noise(self) -> None:
        """Where silence is not heard, words that stop coming end the turn, once."""
        talk = self.talk(HELLO)
        talk.deepgram.plan.misses_silence = True
        talk.start(2)
        talk.says("in a crowd", 0.5)
        self.assertEqual(len(talk.chat.asked), 1)
        talk.call.advance(2)
        self.assertEqual(talk.said()[-1], ("user", "in a crowd"))
        self.assertEqual(len(talk.chat.asked), 2)

    def test_old_pause(self) -> None:
        """A pause that was before this turn does not end it."""
        talk = self.talk(HELLO)
        talk.deepgram.plan.misses_end = True
        talk.start(2)
        talk.says("still talking")
        talk.hearing.say("UtteranceEnd", channel=[0, 1], last_word_end=-1.0)
        talk.call.advance(2)
        self.assertEqual(len(talk.chat.asked), 1)

    def test_no_end(self) -> None:
        """A turn whose end never comes is answered all the same."""
        talk = self.talk(HELLO, settings={"answer_seconds": 3})
        talk.deepgram.plan.misses_end = True
        talk.start(2)
        talk.says("hello", 2.5)
        self.assertEqual(len(talk.chat.asked), 1)
        talk.call.advance(1)
        self.assertEqual(talk.said()[-1], ("user", "hello"))

    def test_taken_back(self) -> None:
        """A caller whose words are taken back at the end is answered with them."""
        talk = self.talk(HELLO)
        talk.start(2)
        talk.hearing.results("um", final=False)
        talk.hearing.results("", final=True, ends=True)
        talk.call.advance(1)
        self.assertEqual(talk.said()[-1], ("user", "um"))


class InterruptTests(TalkCase):
    """A caller who speaks into what is said."""

    def test_silent_at_once(self) -> None:
        """The first words cut all off: the sound, the voice, and the model."""
        talk = self.talk(HELLO, ChatReply(says=TALE.says * 9))
        talk.chat.plan.word_seconds = 0.3
        talk.start(1.5)
        talk.says("tell me", 3)
        self.assertTrue(talk.call.is_playing)
        talk.hearing.results("stop", final=False)
        talk.call.advance(0.001)
        self.assertFalse(talk.call.is_playing)
        said = talk.call.said
        talk.call.advance(5)
        self.assertEqual(talk.call.events, [("interrupt", "speech")])
        self.assertEqual(talk.call.said, said)
        self.assertEqual(talk.chat.broken_off, 1)

    def test_noise_is_no_speech(self) -> None:
        """A sound without words does not stop the agent."""
        talk = self.talk(TALE)
        call = talk.start(1)
        talk.hearing.say("SpeechStarted", channel=[0], timestamp=0.2)
        talk.hearing.results("", final=False)
        call.advance(0.1)
        self.assertEqual(call.events, [])
        self.assertTrue(call.is_playing)

    def test_memory_is_what_was_heard(self) -> None:
        """The model is told the words that were heard, and no later sentence."""
        talk = self.talk(TALE, agent=Clerk)
        call = talk.start(0.9)
        agent: Any = call.agent
        while len(call.heard) < 8 * 300 * 4:
            call.advance(0.02)
        talk.hearing.results("stop", final=True, ends=True)
        call.advance(1)
        self.assertEqual(
            talk.said(), [("assistant", "Once upon a time"), ("user", "stop")]
        )
        lines = [(line.who, line.text) for line in agent.lines]
        self.assertEqual(lines[:2], [("agent", "Once upon a time"), ("caller", "stop")])

    def test_nothing_was_heard(self) -> None:
        """An answer that was cut off before its sound is not remembered."""
        talk = self.talk(TALE)
        talk.cartesia.plan.think_seconds = 1.0
        talk.start(1)
        talk.hearing.results("hello", final=True, ends=True)
        talk.call.advance(1)
        self.assertEqual(talk.said(), [("user", "hello")])
        self.assertIn({"context_id": "c1", "cancel": True}, talk.speaking.told)

    def test_operator(self) -> None:
        """Who else cuts the agent off silences model and voice, too."""
        talk = self.talk(ChatReply(says=TALE.says * 9))
        talk.chat.plan.word_seconds = 0.3
        call = talk.start(4)
        call.interrupt("operator")
        said = call.said
        call.advance(5)
        self.assertEqual((call.said, talk.chat.broken_off), (said, 1))
        talk.says("go on", 2)
        self.assertGreater(len(call.said), len(said))

    def test_heard_words(self) -> None:
        """Whole words, by their share of the sound; all of it when all was heard."""
        for heard_ms, words in (
            (0, ""),
            (200, ""),
            (400, "one"),
            (750, "one two"),
            (900, "one two six"),
            (999, "one two six"),
        ):
            self.assertEqual(heard_words("one two six", heard_ms, 900), words)
        self.assertEqual(heard_words("one", 0, 0), "one")


class FunctionTests(FunctionCases, TalkCase):
    """Functions that the model calls."""

    clerk = Talker

    def test_function(self) -> None:
        """It is called with what the model wrote, and the model is told the result."""
        ask = ChatReply(says="One moment.", calls=[("order", {"number": "17"})])
        talk = self.talk(ask, ChatReply(says="It was sent."), agent=Clerk)
        agent: Any = talk.start(1).agent
        self.assertEqual(agent.asked, ["17"])
        self.assertEqual(talk.chat.asked[0]["tools"][0]["function"]["name"], "order")
        agent.found.callback({"state": "sent"})
        talk.call.advance(3)
        asked, result = talk.chat.messages()[-2:]
        self.assertEqual(asked["content"], "One moment.")
        self.assertEqual(result["content"], '{"state": "sent"}')
        self.assertEqual(talk.call.heard, sound_of("One moment. It was sent."))

    def test_interrupted(self) -> None:
        """A caller who speaks meanwhile is answered; the result comes in later."""
        ask = ChatReply(calls=[("order", {"number": "17"})])
        talk = self.talk(ask, agent=Clerk)
        agent: Any = talk.start(1).agent
        talk.says("hello", 2)
        self.assertIn("still running", talk.chat.messages()[2]["content"])
        agent.found.callback("sent")
        talk.call.advance(1)
        self.assertEqual(len(talk.chat.asked), 2)
        talk.says("and now", 1)
        self.assertEqual(talk.chat.messages()[2]["content"], "sent")

    def test_bad_arguments(self) -> None:
        """What cannot be called is told to the model, which goes on."""
        ask = ChatReply(calls=[("order", '{"numb'), ("nothing", {})])
        talk = self.talk(ask, HELLO, agent=Clerk)
        talk.start(2)
        results = [m["content"] for m in talk.chat.messages() if m["role"] == "tool"]
        self.assertEqual(["error" in each for each in results], [True, True])
        self.assertEqual(talk.call.heard, sound_of("Hello there."))

    def test_never_ending(self) -> None:
        """A model that does nothing but call is given up."""
        talk = self.talk(agent=Clerk)
        ask = ChatReply(calls=[("nothing", {})])
        talk.chat.plan.answer = lambda said: ask
        talk.start(15)
        self.assertEqual(talk.call.heard[-len(APOLOGY) :], APOLOGY)

    def test_last_of_two_sentences(self) -> None:
        """The call ends once the last sentence of a goodbye was heard."""
        bye = ChatReply(says="So. Goodbye then.", calls=[("hang_up", {})])
        talk = self.talk(bye, settings={"functions": "hang_up"})
        talk.start(5)
        events = [("hang_up_after", ""), ("ended", "hung_up")]
        self.assertEqual(talk.call.events, events)
        self.assertEqual(talk.call.heard, sound_of("So. Goodbye then."))
        self.assertEqual(len(talk.chat.asked), 1)

    def test_taken_back_in_any_sentence(self) -> None:
        """A caller who speaks before the goodbye, or into it, stays."""
        bye = ChatReply(says="So. Goodbye then.", calls=[("hang_up", {})])
        for seconds, events in ((0.3, []), (0.9, [("hang_up_after", "")])):
            talk = self.talk(bye, settings={"functions": "hang_up"})
            talk.start(seconds)
            talk.hearing.results("wait", final=True, ends=True)
            talk.call.advance(3)
            self.assertEqual(talk.call.events, [*events, ("interrupt", "speech")])
            self.assertEqual(talk.said()[-1], ("user", "wait"))


class FailureTests(FailureCases, TalkCase):
    """Whatever fails, the line is not dead."""

    def assert_given_up(self, talk: Talk) -> None:
        """The caller hears the apology, and the call ends."""
        self.assertEqual(talk.call.heard[-len(APOLOGY) :], APOLOGY)
        self.assertEqual(talk.call.events[-1], ("ended", "hung_up"))

    def test_sockets_are_lost(self) -> None:
        """Lost sockets are replaced, and nobody notices."""
        talk = self.talk(HELLO)
        talk.start(2)
        talk.hearing.break_off(1006)
        talk.speaking.break_off(1011)
        talk.call.advance(0.1)
        talk.says("hello", 4)
        self.assertEqual(len(talk.deepgram.sessions), 2)
        self.assertEqual(talk.call.heard[-2400:], sound_of("on."))
        self.assertFalse(talk.call.ended)

    def test_too_many_losses(self) -> None:
        """Sockets that are lost again and again are given up, and the caller told."""
        for name in ("deepgram", "cartesia"):
            talk = self.talk(HELLO)
            getattr(talk, name).plan.refusals += [503] * 3
            talk.start(8)
            self.assert_given_up(talk)

    def test_wrong_keys(self) -> None:
        """A wrong key is not tried twice."""
        for name in ("deepgram", "cartesia", "chat"):
            talk = self.talk(HELLO)
            getattr(talk, name).plan.key = "another"
            talk.start(8)
            self.assert_given_up(talk)
            self.assertLessEqual(len(talk.network.requests), 2)

    def test_warm_failure(self) -> None:
        """What went wrong while the phone rang is told when the call is there."""
        talk = self.talk()
        talk.deepgram.plan.refusals.append(401)
        talk.house.expect(FakeCall.call_id)
        talk.clock.advance(1)
        talk.start(8)
        self.assert_given_up(talk)

    def test_model_fails(self) -> None:
        """A failed answer is asked for again, after the time that is asked for."""
        busy = ChatReply(status=429, headers={"retry-after": "2"})
        talk = self.talk(busy, HELLO)
        talk.start(2)
        self.assertEqual(len(talk.chat.asked), 1)
        talk.call.advance(2)
        self.assertEqual(talk.call.heard, sound_of("Hello there."))

    def test_model_breaks_off(self) -> None:
        """What was said stays said, and the model is asked to go on."""
        for fault in ({"fails_after": 12, "code": "x"}, {"breaks_after": 12}):
            broken = ChatReply(says=TALE.says, **fault)
            talk = self.talk(broken, ChatReply(says="The end."))
            talk.start(6)
            go_on = ("user", "Go on where you were broken off.")
            self.assertEqual(talk.said(), [("assistant", KING), go_on])
            self.assertEqual(talk.call.heard, sound_of(f"{KING} The end."))

    def test_model_is_silent(self) -> None:
        """An answer that does not come is given up and asked for again."""
        talk = self.talk(ChatReply(hangs=True), HELLO, settings={"answer_seconds": 3})
        talk.start(5)
        self.assertEqual(talk.call.heard, sound_of("Hello there."))
        self.assertEqual(talk.chat.broken_off, 1)

    def test_model_says_nothing(self) -> None:
        """Three failures in a row, empty answers too, are the end."""
        for reply in (ChatReply(), ChatReply(status=500), ChatReply(says_done=False)):
            talk = self.talk()
            talk.chat.plan.replies += [reply] * 3
            talk.start(12)
            self.assertEqual(len(talk.chat.asked), 3)
            self.assert_given_up(talk)

    def test_empty_account(self) -> None:
        """An empty account is hopeless, though its status is that of a busy one."""
        talk = self.talk(ChatReply(status=429, code="insufficient_quota"))
        talk.start(8)
        self.assertEqual(len(talk.chat.asked), 1)
        self.assert_given_up(talk)

    def test_voice_fails(self) -> None:
        """A sentence of which nothing came is spoken again over another socket."""
        for mishap in (
            Mishap(status=500),
            Mishap(status=429, code="concurrency_limited"),
            Mishap(hangs=True),
            Mishap(breaks_after_ms=0),
        ):
            talk = self.talk(HELLO, settings={"answer_seconds": 2})
            talk.cartesia.plan.mishaps.append(mishap)
            talk.start(5)
            self.assertEqual(talk.cartesia.texts(), ["Hello there."] * 2)
            self.assertEqual(talk.call.heard[-4800:], sound_of("Hello there."))

    def test_wrong_voice(self) -> None:
        """A voice that does not exist is not tried twice."""
        talk = self.talk(HELLO)
        talk.cartesia.plan.mishaps.append(Mishap(status=404, code="voice_not_found"))
        talk.start(8)
        self.assertEqual(len(talk.cartesia.sessions), 1)
        self.assert_given_up(talk)

    def test_voice_breaks_off(self) -> None:
        """A sentence that breaks off is heard so far, and the next one follows."""
        talk = self.talk(TALE, ChatReply(says="Well."))
        talk.cartesia.plan.mishaps.append(Mishap(breaks_after_ms=900))
        talk.start(6)
        house = sound_of("He had a very big house.")
        self.assertEqual(talk.call.heard, sound_of(KING)[:7200] + house)
        talk.says("what", 1)
        self.assertEqual(talk.said()[0][1], "Once upon a He had a very big house.")

    def test_nonsense(self) -> None:
        """A service that says what cannot be read is asked anew."""
        talk = self.talk(HELLO)
        talk.start(2)
        talk.hearing.say("Results", channel={})
        talk.speaking.say("chunk", "c9", data=7)
        talk.call.advance(0.1)
        self.assertEqual(
            (len(talk.deepgram.sessions), len(talk.cartesia.sessions)), (2, 2)
        )
        talk.hearing.say("Error", err_code="X")
        talk.call.advance(1)
        self.assertEqual(len(talk.deepgram.sessions), 3)

    def test_one_bad_hour(self) -> None:
        """Sockets that are lost now and then are no reason to give up."""
        talk = self.talk(HELLO)
        talk.start(2)
        for _ in range(6):
            talk.call.advance(31)
            talk.speaking.break_off(1000)
        talk.call.advance(5)
        self.assertFalse(talk.call.ended)

    def test_log(self) -> None:
        """The log says what is gone, and has no word of what was said, and no key."""
        logged: list[LogEvent] = []
        observer: Any = logged.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        talk = self.talk(ChatReply(says="secret words", fails_after=1, code="oops"))
        talk.start(1)
        talk.speaking.break_off(1006)
        talk.says("more secret words", 2)
        text = "\n".join(f"{formatEvent(event)} {event}" for event in logged)
        self.assertIn("error oops", text)
        self.assertIn("Cartesia is gone", text)
        for private in ("secret", *(v for k, v in ACCOUNTS.items() if "key" in k)):
            self.assertNotIn(private, text)


class PrewarmTests(TalkCase):
    """Sockets that are there before the call."""

    def test_other_format(self) -> None:
        """A call in another format has its own."""
        talk = self.talk(HELLO, sound=ALAW_8K)
        talk.house.expect(FakeCall.call_id)
        talk.start(2)
        self.assertEqual(talk.hearing.query["encoding"], "alaw")

    def test_off(self) -> None:
        """They are not, where the setting says so."""
        talk = self.talk(HELLO, settings={"prewarm": False})
        talk.house.expect(FakeCall.call_id)
        self.assertEqual(talk.network.requests, [])
        talk.start(1)

    def test_missing(self) -> None:
        """Each key that is not set is named."""
        services = Cascade.configure({}, Path())
        assert isinstance(services, Services)
        self.assertEqual(len(services.missing({})), 3)
        self.assertEqual(services.missing(ACCOUNTS), [])
