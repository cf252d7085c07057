# -*- test-case-name: tests.agents.openai.test_agent -*-
"""A caller and the model, in virtual time: turns, interruptions, and every failure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from tests.agents.model.cases import (
    APOLOGY,
    HELLO,
    TALE,
    ClerkTools,
    FunctionCases,
    LossCases,
    TurnCases,
)
from twistedvoice.agents.model.conduct import _APOLOGY
from twistedvoice.agents.openai.agent import OpenAi
from twistedvoice.doubles.plan import Reply
from twistedvoice.formats import ALAW_8K, AudioFormat

from .talk import ACCOUNTS, SPEECH, Talk, TalkCase, sound_of


class Clerk(ClerkTools, OpenAi):
    """An agent with functions of its own."""


class TurnTests(TurnCases, TalkCase):
    """Who says what, and when."""

    clerk = Clerk

    def test_greeting_first(self) -> None:
        """The session is set up and confirmed before the model is asked to greet."""
        settings = {"opening": "Say hello.", "instructions": "You are a clerk."}
        talk = self.talk(Reply(says=HELLO), settings=settings)
        talk.start(2)
        self.assertEqual(talk.session.kinds(), ["session.update", "response.create"])
        kinds = [said["type"] for said in talk.session.said]
        self.assertLess(kinds.index("session.updated"), kinds.index("response.created"))
        asked = talk.told("response.create")[0]["response"]
        # Those of a response stand in place of the session's.
        self.assertEqual(asked, {"instructions": "You are a clerk.\n\nSay hello."})
        self.assertEqual(talk.call.heard, sound_of(HELLO))

    def test_sound_is_untouched(self) -> None:
        """Mu-law goes both ways, byte for byte."""
        talk = self.talk(Reply(says=HELLO), Reply(says=TALE))
        talk.start(2)
        talk.speak(5)
        self.assertTrue(bytes(talk.session.heard).startswith(SPEECH))
        self.assertEqual(talk.call.heard, sound_of(HELLO) + sound_of(TALE))

    def test_first_words_are_not_lost(self) -> None:
        """What the caller says before the model is there is passed on to it."""
        talk = self.talk(Reply(says=HELLO), delay=0.3)
        call = talk.start()
        call.hear(SPEECH[:1600])
        call.advance(2)
        self.assertEqual(bytes(talk.session.heard), SPEECH[:1600])

    def test_formats(self) -> None:
        """A-law goes through as it is, wide sound is brought to the API's rate."""
        for sound, kind in (
            (ALAW_8K, "audio/pcma"),
            (AudioFormat("l16", 16000), "audio/pcm"),
        ):
            talk = self.talk(Reply(says=HELLO), sound=sound)
            call = talk.start(2)
            form = talk.session.settings["audio"]["output"]["format"]
            self.assertEqual(form["type"], kind)
            call.hear(sound.silence(sound.bytes_per_second))
            self.assertAlmostEqual(len(call.said) / sound.bytes_per_second, 0.6, 1)
            seconds = len(talk.session.heard) / (8000 if sound == ALAW_8K else 48000)
            self.assertAlmostEqual(seconds, 1.0, 1)

    def test_operator(self) -> None:
        """Who else cuts the model off cancels what it makes, too."""
        talk = self.talk(Reply(says=TALE), piece_every_seconds=0.2)
        call = talk.start(1)
        call.interrupt("operator")
        call.advance(1)
        self.assertEqual(len(talk.told("response.cancel")), 1)
        self.assertEqual(len(talk.told("conversation.item.truncate")), 1)


class InterruptTests(TalkCase):
    """A caller who speaks into what is said."""

    def truncated(self, talk: Talk) -> list[int | None]:
        """:returns: where each of the model's items was cut."""
        items = talk.session.conversation.items
        return [i.truncated_ms for i in items if i.body.get("role") == "assistant"]

    def test_heard_millisecond(self) -> None:
        """The API is told to the millisecond what was heard, and forgets the rest."""
        talk = self.talk(Reply(says=TALE), Reply())
        call = talk.start(1)
        talk.speak()
        self.assertEqual(call.events[0], ("interrupt", "speech"))
        heard_ms = len(call.heard) // 8
        self.assertGreater(heard_ms, 500)
        self.assertEqual(self.truncated(talk), [heard_ms])

    def test_while_it_is_made(self) -> None:
        """No more is claimed than came; the rest of the answer is not heard."""
        for delay in (0.0, 0.15):
            talk = self.talk(
                Reply(says=TALE), Reply(), delay=delay, piece_every_seconds=0.09
            )
            call = talk.start(1.5)
            talk.speak(1)
            heard = call.heard
            self.assertEqual(self.truncated(talk), [len(heard) // 8])
            self.assertTrue(sound_of(TALE).startswith(heard))

    def test_heard_to_its_end(self) -> None:
        """What was heard whole is not cut, and keeps its words."""
        talk = self.talk(Reply(says=HELLO), Reply(says=HELLO))
        talk.start(2)
        talk.speak(2)
        self.assertEqual(self.truncated(talk), [None, None])
        self.assertEqual(talk.call.events, [])

    def test_again_and_again(self) -> None:
        """Each answer is cut where it was left."""
        talk = self.talk(*[Reply(says=TALE)] * 4, Reply())
        call = talk.start(1)
        for _ in range(4):
            talk.speak(1)
        cuts = self.truncated(talk)
        self.assertEqual(len(cuts), 4)
        self.assertEqual(sum(cut or 0 for cut in cuts), len(call.heard) // 8)

    def test_asked_into_speech(self) -> None:
        """An answer that begins while the caller speaks is taken back, unheard."""
        talk = self.talk(Reply(says=HELLO), settings={"greeting": str(_APOLOGY)})
        call = talk.start(0.5)
        call.hear(SPEECH[:3200])
        talk.session.respond(Reply(says=TALE))
        call.hear(SPEECH[:3200])
        self.assertEqual(len(talk.told("response.cancel")), 1)
        self.assertEqual(call.heard[4000:], APOLOGY[4000 : len(call.heard)])


class FunctionTests(FunctionCases, TalkCase):
    """Functions that the model calls."""

    clerk = Clerk

    def test_result(self) -> None:
        """A function is called, its result told, and the model goes on."""
        calls = [("order", {"number": "17"})]
        talk = self.talk(Reply(calls=calls), Reply(says=HELLO), agent=Clerk)
        call = talk.start(3)
        self.assertEqual(talk.results(), ['{"state": "sent"}'])
        self.assertEqual(call.heard, sound_of(HELLO))
        names = [each["name"] for each in talk.session.settings["tools"]]
        self.assertEqual(names, ["order", "wait"])

    def test_two_at_once(self) -> None:
        """Of several functions all results are told before the model goes on, once."""
        calls: list[tuple[str, Mapping[str, object]]]
        calls = [("wait", {"seconds": 1.5}), ("order", {"number": "17"})]
        talk = self.talk(Reply(calls=calls), Reply(says=HELLO), agent=Clerk)
        talk.start(4)
        self.assertEqual(talk.results(), ['{"state": "sent"}', "waited"])
        kinds = talk.session.kinds()
        self.assertEqual(kinds[-3:-1], ["conversation.item.create"] * 2)
        self.assertEqual(kinds.count("response.create"), 2)

    def test_caller_speaks_meanwhile(self) -> None:
        """A result that comes while the caller speaks waits for the caller's turn."""
        calls = [("wait", {"seconds": 1})]
        talk = self.talk(Reply(calls=calls), Reply(says=HELLO), agent=Clerk)
        talk.start(0.5)
        talk.speak(2)
        self.assertEqual(talk.results(), ["waited"])
        self.assertEqual(talk.session.kinds().count("response.create"), 1)
        self.assertEqual(talk.call.heard, sound_of(HELLO))


class LogTests(TalkCase):
    """What is said of a call."""

    def test_discreet(self) -> None:
        """Neither words nor the key are in any event of the log."""
        logged: list[LogEvent] = []
        observer: Any = logged.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        broken = Reply(says=HELLO, breaks_after_ms=300)
        failed = Reply(fails="server_error")
        talk = self.talk(broken, failed, Reply(says=TALE), transcripts=["secret word"])
        talk.start(3)
        talk.session.say_raw(b'{"type": "error", "secret": "word"}')
        talk.session.say("error", error={"code": "odd", "message": "secret word"})
        talk.speak(1)
        text = "".join(f"{formatEvent(event)} {event}" for event in logged)
        self.assertIn("odd", text)
        for secret in ("secret", HELLO, TALE, ACCOUNTS["openai.api_key"]):
            self.assertNotIn(secret, text)


class LossTests(LossCases, TalkCase):
    """Sessions that are lost, and models that are not there."""

    def texts(self, talk: Talk) -> list[str]:
        """:returns: what the newest session was told of what was said before."""
        return [item.text for item in talk.session.conversation.items]

    def test_reconnects_with_context(self) -> None:
        """A new session is told what was said, and gives the answer that is due."""
        broken = Reply(says=TALE, breaks_after_ms=1000)
        talk = self.talk(
            *(Reply(says=HELLO), broken, Reply(says="so it went on")),
            transcripts=["a story please"],
        )
        talk.start(2)
        talk.speak(4)
        self.assertEqual(len(talk.double.sessions), 2)
        greeting, wish, begun, rest = self.texts(talk)
        self.assertEqual((greeting, wish), (HELLO, "a story please"))
        self.assertTrue(begun and TALE.startswith(begun), begun)
        self.assertEqual(rest, "so it went on")
        said = sound_of(HELLO) + sound_of(TALE)[:8000] + sound_of(rest)
        self.assertEqual(talk.call.heard, said)

    def test_quiet_loss(self) -> None:
        """A session that goes while nobody speaks is replaced without a word."""
        talk = self.talk(Reply(says=HELLO))
        call = talk.start(2)
        talk.session.break_off(1011)
        call.advance(2)
        self.assertEqual(talk.told("response.create"), [])
        self.assertEqual(self.texts(talk), [HELLO])
        talk.speak(3)
        self.assertGreater(len(call.heard), len(sound_of(HELLO)))

    def test_expires(self) -> None:
        """An API that ends a session after its time is met with another one."""
        talk = self.talk(Reply(says=HELLO), lifetime_seconds=60.0)
        talk.start(61)
        self.assertEqual(len(talk.double.sessions), 2)
        talk.speak()
        self.assertFalse(talk.call.ended)

    def test_renewed_in_time(self) -> None:
        """Before the hour is over another session takes over, between two turns."""
        talk = self.talk(Reply(says=HELLO))
        call = talk.start(3600)
        first, second = talk.double.sessions
        self.assertEqual((first.ended, second.ended), (1000, None))
        self.assertEqual(self.texts(talk), [HELLO])
        self.assertEqual(call.events, [])

    def test_lost_while_another_waits(self) -> None:
        """The session that waits to take over does, and no third one is opened."""
        talk = self.talk(Reply(says=HELLO))
        call = talk.start(54 * 60 + 58)
        talk.plan.replies.append(Reply(says=TALE))
        talk.speak(1)
        first, second = talk.double.sessions
        first.break_off(1011)
        call.advance(4)
        self.assertEqual((len(talk.double.sessions), second.ended), (2, None))
        self.assertTrue(call.heard.endswith(sound_of(TALE)))

    def test_not_renewed_into_speech(self) -> None:
        """A session that grows old while the model speaks is kept until it is done."""
        talk = self.talk(Reply(says=HELLO))
        call = talk.start(54 * 60 + 58)
        talk.plan.replies.append(Reply(says=TALE))
        talk.speak(1)
        first = talk.double.sessions[0]
        self.assertIsNone(first.ended)
        call.advance(4)
        self.assertEqual(first.ended, 1000)
        self.assertEqual(self.texts(talk)[-1], TALE)
        self.assertTrue(call.heard.endswith(sound_of(TALE)))

    def test_set_up_refused(self) -> None:
        """What the API finds wrong with a session is wrong with the next one, too."""
        for kind, sessions in (("invalid_request_error", 1), ("server_error", 2)):
            talk = self.talk(mute=True)
            call = talk.start(1)
            error = {"type": "error", "error": {"type": kind, "code": "invalid_value"}}
            talk.session.say_raw(json.dumps(error).encode())
            call.advance(1)
            self.assertEqual(len(talk.double.sessions), sessions)
            self.assertEqual(call.is_playing, sessions == 1)

    def test_failed_answers(self) -> None:
        """A failed answer is asked for again, not before the limit allows it."""
        talk = self.talk(
            *(Reply(fails="rate_limit_exceeded"), Reply(says=HELLO)),
            remaining_tokens=0,
            reset_seconds=3.0,
        )
        call = talk.start(3)
        self.assertEqual(call.said, b"")
        call.advance(2)
        self.assertEqual(call.heard, sound_of(HELLO))

    def test_failed_for_good(self) -> None:
        """Three failed answers in a row are enough; so is an empty account."""
        for code, tries in (("server_error", 3), ("insufficient_quota", 1)):
            talk = self.talk(*[Reply(fails=code)] * 3)
            talk.start(5)
            self.assertEqual(len(talk.told("response.create")), tries)
            self.assert_apologised(talk, "hung_up")

    def test_incomplete(self) -> None:
        """An answer that is cut short is what it is; the call goes on."""
        talk = self.talk(Reply(says=HELLO, incomplete="max_output_tokens"))
        call = talk.start(3)
        self.assertEqual(call.heard, sound_of(HELLO))
        self.assertFalse(call.ended)

    def test_garbage(self) -> None:
        """What cannot be read is passed over; too much of it is a lost session."""
        talk = self.talk(Reply(says=HELLO))
        call = talk.start(1)
        spoiled = [b"", b"\xff", b"[]", b'"x"', b"{}", b'{"type": "response.done"}']
        delta = {"type": "response.output_audio.delta", "response_id": "resp_1"}
        spoiled.append(json.dumps({**delta, "item_id": "i", "delta": "!"}).encode())
        for data in spoiled:
            talk.session.say_raw(data)
        call.advance(1)
        self.assertEqual(len(talk.double.sessions), 1)
        for data in spoiled:
            talk.session.say_raw(data)
        call.advance(1)
        self.assertEqual(len(talk.double.sessions), 2)


class WarmTests(TalkCase):
    """A model that is there before its call."""

    def test_other_format(self) -> None:
        """A session that was made ready for another format is not used."""
        talk = self.talk(Reply(says=HELLO), sound=ALAW_8K)
        talk.house.expect("CA00000000000000000000000000000001")
        talk.start(2)
        form = talk.session.settings["audio"]["input"]["format"]
        self.assertEqual(form, {"type": "audio/pcma"})

    def test_failed_while_it_rang(self) -> None:
        """A session that was lost before its call is replaced when it comes."""
        talk = self.talk(Reply(says=HELLO), refusals=[500])
        talk.house.expect("CA00000000000000000000000000000001")
        talk.clock.advance(0)
        call = talk.start(2)
        self.assertEqual(call.heard, sound_of(HELLO))
