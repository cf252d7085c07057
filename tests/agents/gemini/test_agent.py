# -*- test-case-name: tests.agents.gemini.test_agent -*-
"""A caller and the model, in virtual time: turns, interruptions, functions, words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from tests.agents.model.cases import (
    APOLOGY,
    HELLO,
    TALE,
    ClerkTools,
    FunctionCases,
    TurnCases,
)
from tests.agents.model.talk import SPEECH
from twistedvoice.agents.gemini.agent import Gemini
from twistedvoice.agents.model.conduct import _APOLOGY
from twistedvoice.audio import pcm
from twistedvoice.audio.resample import resample
from twistedvoice.doubles.plan import Reply
from twistedvoice.formats import MULAW_8K, AudioFormat

from .talk import Talk, TalkCase, sound_of

__all__ = [
    "FunctionTests",
    "InterruptTests",
    "LogTests",
    "TurnTests",
]

CALL_ID = "CA00000000000000000000000000000001"


class Clerk(ClerkTools, Gemini):
    """An agent with functions of its own."""


class TurnTests(TurnCases, TalkCase):
    """Who says what, and when."""

    clerk = Clerk

    def test_greeting_first(self) -> None:
        """The session is set up and confirmed before the model is asked to greet."""
        settings = {"opening": "Say hello.", "instructions": "You are a clerk."}
        talk = self.talk(Reply(says=HELLO), settings=settings)
        talk.start(2)
        self.assertEqual(talk.session.kinds(), ["setup", "realtimeInput"])
        parts = talk.session.setup["systemInstruction"]["parts"]
        self.assertEqual(parts, [{"text": "You are a clerk."}])
        self.assertIn("Say hello.", talk.told("realtimeInput")[0]["text"])
        self.assertEqual(talk.call.heard, sound_of(HELLO))

    def test_sound(self) -> None:
        """Sound is brought to the rates of the API, both ways, without a seam."""
        talk = self.talk(Reply(says=HELLO), Reply(says=TALE))
        talk.start(2)
        talk.speak(5)
        self.assertEqual(talk.call.heard, sound_of(HELLO) + sound_of(TALE))
        wide = resample(pcm.decode(SPEECH, MULAW_8K), 8000, 16000)
        # The filter's last milliseconds come with the silence after the speech.
        sound = wide[:-200].astype("<i2").tobytes()
        self.assertTrue(bytes(talk.session.heard).startswith(sound))

    def test_text_messages(self) -> None:
        """JSON is read from text as from binary messages."""
        talk = self.talk(Reply(says=HELLO), binary=False)
        self.assertEqual(talk.start(2).heard, sound_of(HELLO))

    def test_formats_while_it_rings(self) -> None:
        """What came while the phone rang is said at once, in any format of the call."""
        wide = AudioFormat("l16", 16000)
        for sound, size in ((MULAW_8K, 4800), (wide, 19200)):
            talk = self.talk(Reply(says=HELLO), sound=sound)
            talk.house.expect(CALL_ID)
            for _ in range(100):
                talk.clock.advance(0.02)
            call = talk.start()
            self.assertEqual(len(call.said), size)
            self.assertEqual(len(talk.double.sessions), 1)

    def test_greeting_is_known(self) -> None:
        """The model is told what a greeting of our own says."""
        settings = {"greeting": str(_APOLOGY), "greeting_text": "Sorry."}
        talk = self.talk(settings=settings)
        call = talk.start(9)
        self.assertEqual(call.heard, APOLOGY)
        self.assertEqual(talk.session.kinds(), ["setup"])
        parts = talk.session.setup["systemInstruction"]["parts"]
        self.assertIn("You: Sorry.", parts[1]["text"])


class InterruptTests(TalkCase):
    """A caller who speaks into what is said."""

    def test_interrupted(self) -> None:
        """The call falls silent; what still came of that turn is not said."""
        talk = self.talk(Reply(says=TALE), Reply(says=HELLO), delay=0.05)
        call = talk.start(1.2)
        call.hear(SPEECH[:3200])
        self.assertEqual(call.events[0], ("interrupt", "speech"))
        cut = call.heard
        self.assertTrue(sound_of(TALE).startswith(cut) and cut)
        call.hear(SPEECH[3200:])
        talk.speak(2)
        self.assertEqual(call.heard, cut + sound_of(HELLO))

    def test_told_by_activity(self) -> None:
        """A model whose turn is over but not yet heard falls silent, if it says so."""
        for tells, interrupts in ((True, 1), (False, 0)):
            talk = self.talk(
                *(Reply(says=TALE), Reply()),
                tells_activity=tells,
                waits_for_playback=False,
            )
            call = talk.start(1)
            call.hear(SPEECH[:3200])
            self.assertEqual(len(call.events), interrupts)

    def test_told_by_words(self) -> None:
        """Words of the caller outside of the model's turn tell that one speaks."""
        talk = self.talk(Reply(says=TALE), waits_for_playback=False)
        call = talk.start(1)
        talk.session.say(serverContent={"inputTranscription": {"text": "wait"}})
        call.advance(0.01)
        self.assertEqual(call.events, [("interrupt", "speech")])

    def test_operator(self) -> None:
        """Who else cuts the model off is not talked over by the rest of its turn."""
        talk = self.talk(Reply(says=TALE), piece_every_seconds=0.09)
        call = talk.start(1)
        call.interrupt("operator")
        said = len(call.said)
        call.advance(5)
        self.assertEqual(len(call.said), said)


class FunctionTests(FunctionCases, TalkCase):
    """Functions that the model calls."""

    clerk = Clerk
    after_results = (Reply(),)

    def test_result(self) -> None:
        """Functions are called, their results told, and the model goes on by itself."""
        calls: list[tuple[str, Mapping[str, object]]]
        calls = [("order", {"number": "17"}), ("wait", {"seconds": 1})]
        talk = self.talk(Reply(calls=calls), Reply(says=HELLO), agent=Clerk)
        call = talk.start(4)
        results = ['{"state": "sent"}', '{"output": "waited"}']
        self.assertEqual(talk.results(), results)
        self.assertEqual(call.heard, sound_of(HELLO))
        # The greeting is all that it was asked for.
        self.assertEqual(len(talk.told("realtimeInput")), 1)
        [tools] = talk.session.setup["tools"]
        names = [each["name"] for each in tools["functionDeclarations"]]
        self.assertEqual(names, ["order", "wait"])

    def test_one_is_slow(self) -> None:
        """The model is not waited for before it has all results."""
        calls: list[tuple[str, Mapping[str, object]]]
        calls = [("wait", {"seconds": 0.5}), ("wait", {"seconds": 2.8})]
        settings: dict[str, object] = {"answer_seconds": 1}
        talk = self.talk(
            *(Reply(calls=calls), Reply(says=HELLO)), agent=Clerk, settings=settings
        )
        self.assertEqual(talk.start(5).heard, sound_of(HELLO))
        self.assertEqual(len(talk.double.sessions), 1)

    def test_taken_back(self) -> None:
        """A function whose call is taken back is broken off, and not answered."""
        calls = [("wait", {"seconds": 2})]
        talk = self.talk(Reply(calls=calls), Reply(says=HELLO), agent=Clerk)
        call = talk.start(0.5)
        talk.speak(4)
        self.assertEqual(talk.results(), [])
        self.assertEqual(call.heard, sound_of(HELLO))


class LogTests(TalkCase):
    """What is said of a call."""

    def test_discreet(self) -> None:
        """Neither words, nor the key, nor a handle are in any event of the log."""
        logged: list[LogEvent] = []
        observer: Any = logged.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        broken = Reply(says=HELLO, breaks_after_ms=300)
        failed = Reply(fails="RESPONSE_REJECTED")
        talk: Talk = self.talk(
            *(broken, failed, Reply(says=TALE)), transcripts=["secret word"]
        )
        talk.start(4)
        talk.session.say_raw(b'{"serverContent": ["secret word"]}')
        talk.speak(1)
        talk.session.break_off(1011, "secret word")
        talk.call.advance(1)
        text = "".join(f"{formatEvent(event)} {event}" for event in logged)
        self.assertIn("RESPONSE_REJECTED", text)
        self.assertIn("1011", text)
        for secret in ("secret", HELLO, TALE, "gemini-double", "handle-"):
            self.assertNotIn(secret, text)
