"""A session of the double, message by message."""

from __future__ import annotations

import base64
import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.audio import pcm
from twistedvoice.doubles.plan import Reply
from twistedvoice.doubles.voice import tones
from twistedvoice.formats import MULAW_8K

from .client import PCMU, SPEECH, Client, pass_time

__all__ = ["DeafTests", "FailureTests", "ItemTests", "ResponseTests", "TurnTests"]

AUDIO: dict[str, Any] = {"input": PCMU, "output": PCMU}
TEXT = "good morning to you"


class SessionCase(SynchronousTestCase):
    """A client with an open session, in mu-law."""

    def setUp(self) -> None:
        self.client = Client()
        self.session = self.client.open()
        self.update(audio=AUDIO)
        self.addCleanup(self.assert_nothing_left)

    def assert_nothing_left(self) -> None:
        """A client that hangs up leaves no timer behind."""
        self.client.hang_up()
        self.assertEqual(self.client.clock.getDelayedCalls(), [])

    def update(self, **session: object) -> None:
        """Change the session."""
        self.client.tell("session.update", session={"type": "realtime", **session})

    def respond(self, seconds: float = 5.0, **reply: Any) -> None:
        """Have the model say something."""
        self.client.plan.replies.append(Reply(**reply))
        self.client.tell("response.create")
        pass_time(self.client.clock, seconds)

    def problem(self) -> tuple[str, str]:
        """:returns: code and field of the last error, which the client was told."""
        error = self.client.all("error")[-1]["error"]
        self.assertEqual(error["code"], self.session.problems[-1].code)
        return error["code"], error["param"]


class ResponseTests(SessionCase):
    """What the model says."""

    def test_events(self) -> None:
        """A response comes in the documented order."""
        self.respond(says=TEXT, calls=[("look", {"at": 1})])
        spoken, called = "response.output_audio", "response.function_call_arguments"
        begun = ["response.output_item.added", "conversation.item.added"]
        done = ["response.output_item.done", "conversation.item.done"]
        kinds = [k for k in self.client.kinds() if not k.startswith("session")]
        self.assertEqual(
            [k for k in kinds if not k.endswith((".delta", "transcript.done"))],
            [
                "response.created",
                *begun,
                *("response.content_part.added", f"{spoken}.done"),
                *("response.content_part.done", *done),
                *begun,
                *(f"{called}.done", *done),
                *("response.done", "rate_limits.updated"),
            ],
        )

    def test_sound(self) -> None:
        """The sound is real, in the client's format, and comes faster than it plays."""
        self.respond(0.5, says=TEXT)
        expected = pcm.encode(tones(TEXT, 8000), MULAW_8K)
        self.assertEqual(self.client.sound(), expected)
        [item] = self.session.conversation.items
        self.assertEqual((item.sent_ms, item.text), (1200, TEXT))

    def test_transcript(self) -> None:
        """The words come with the sound, and make up the transcript."""
        self.respond(says=TEXT)
        deltas = self.client.all("response.output_audio_transcript.delta")
        self.assertGreater(len(deltas), 1)
        self.assertEqual("".join(each["delta"] for each in deltas), TEXT)
        [done] = self.client.all("response.output_audio_transcript.done")
        self.assertEqual(done["transcript"], TEXT)

    def test_one_at_a_time(self) -> None:
        """While a response is made there is no second one."""
        self.respond(0.25, says=TEXT)
        self.client.tell("response.create")
        code, _ = self.problem()
        self.assertEqual(code, "conversation_already_has_active_response")
        pass_time(self.client.clock, 5)
        self.respond(says=TEXT)
        self.assertEqual(len(self.client.all("response.done")), 2)

    def test_cancel(self) -> None:
        """A cancelled response ends in the middle; nothing of it comes after."""
        self.respond(0.3, says=TEXT)
        self.client.tell("response.cancel")
        [done] = self.client.all("response.done")
        self.assertEqual(done["response"]["status"], "cancelled")
        self.assertEqual(
            done["response"]["status_details"]["reason"], "client_cancelled"
        )
        said = len(self.client.sound())
        pass_time(self.client.clock, 5)
        self.assertEqual(len(self.client.sound()), said)
        self.client.tell("response.cancel")
        self.assertEqual(self.problem()[0], "response_cancel_not_active")

    def test_function_output(self) -> None:
        """A function's result belongs to its call, and to no other."""
        self.respond(calls=[("look", {"at": 1})])
        [done] = self.client.all("response.function_call_arguments.done")
        self.assertEqual(json.loads(done["arguments"]), {"at": 1})
        output = {"type": "function_call_output", "call_id": "other", "output": "2"}
        self.client.tell("conversation.item.create", item=output)
        self.assertEqual(self.problem(), ("invalid_tool_call_id", "item.call_id"))
        output["call_id"] = done["call_id"]
        self.client.tell("conversation.item.create", item=output)
        self.assertEqual(len(self.session.problems), 1)

    def test_voice_is_fixed(self) -> None:
        """Once something was said the voice stays."""
        self.update(audio={"output": {"voice": "marin"}})
        self.respond(says=TEXT)
        self.update(audio={"output": {"voice": "cedar"}})
        self.assertEqual(self.problem()[0], "cannot_update_voice")
        self.assertEqual(self.session.settings["audio"]["output"]["voice"], "marin")


class TurnTests(SessionCase):
    """What the caller says."""

    def test_turn(self) -> None:
        """A caller who has spoken is answered."""
        self.client.speak()
        kinds = self.client.kinds()
        heard = [kind for kind in kinds if kind.startswith("input_audio_buffer")]
        self.assertEqual(
            [kind.partition(".")[2] for kind in heard],
            ["speech_started", "speech_stopped", "committed"],
        )
        self.assertLess(
            kinds.index("input_audio_buffer.committed"), kinds.index("response.created")
        )
        pass_time(self.client.clock, 2)
        said = self.session.conversation.items[-1].text
        self.assertEqual(said, "I heard you for 1340 milliseconds")
        self.assertEqual(self.session.heard[: len(SPEECH)], SPEECH)

    def test_interruption(self) -> None:
        """A caller who speaks into a response cancels it."""
        self.client.plan.piece_every_seconds = 0.2
        self.respond(0.5, says=TEXT)
        self.client.speak(silence_seconds=0)
        [done] = self.client.all("response.done")
        self.assertEqual(done["response"]["status_details"]["reason"], "turn_detected")

    def test_own_decision(self) -> None:
        """A client may keep the decisions to itself."""
        turns = {"type": "server_vad", "create_response": False}
        turns["interrupt_response"] = False
        self.update(audio={"input": {"turn_detection": turns}})
        self.client.plan.piece_every_seconds = 0.2
        self.respond(0.5, says=TEXT)
        self.client.speak(silence_seconds=2)
        done = self.client.all("response.done")
        self.assertEqual([d["response"]["status"] for d in done], ["completed"])

    def test_transcription(self) -> None:
        """What the caller said comes as text when it was asked for."""
        self.client.speak()
        kind = "conversation.item.input_audio_transcription.completed"
        self.assertEqual(self.client.all(kind), [])
        self.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
        self.client.plan.transcripts.append("one two three")
        self.client.speak()
        [heard] = self.client.all(kind)
        self.assertEqual(heard["transcript"], "one two three")

    def test_push_to_talk(self) -> None:
        """Without turn detection the client commits, but not next to nothing."""
        self.update(audio={"input": {"turn_detection": None}})
        self.client.tell("input_audio_buffer.commit")
        self.assertEqual(self.problem()[0], "input_audio_buffer_commit_empty")
        self.client.speak()
        self.client.tell("input_audio_buffer.commit")
        self.assertEqual(len(self.session.conversation.items), 1)
        self.assertEqual(self.client.all("response.created"), [])


class ItemTests(SessionCase):
    """The items of the conversation."""

    def truncate(self, end_ms: int, item_id: str = "") -> None:
        """Say how much of the spoken item was heard."""
        [*_, item] = self.session.conversation.items
        self.client.tell(
            "conversation.item.truncate",
            item_id=item_id or item.id,
            content_index=0,
            audio_end_ms=end_ms,
        )

    def test_truncate(self) -> None:
        """What was not heard is forgotten, with its words."""
        self.respond(says=TEXT)
        self.truncate(700)
        [item] = self.session.conversation.items
        self.assertEqual((item.truncated_ms, item.text), (700, ""))
        self.assertEqual(len(self.client.all("conversation.item.truncated")), 1)

    def test_truncate_too_late(self) -> None:
        """Nobody heard more than was sent; the message is that of the API."""
        self.respond(0.26, says=TEXT)
        [item] = self.session.conversation.items
        self.truncate(item.sent_ms + 1)
        self.assertEqual(self.problem(), ("invalid_value", "audio_end_ms"))
        self.assertIn("already shorter than", self.session.problems[0].message)
        self.truncate(item.sent_ms)
        self.assertEqual(item.truncated_ms, item.sent_ms)

    def test_truncate_what_is_none_of_its_own(self) -> None:
        """Only what the model has said can be cut."""
        self.client.tell("conversation.item.create", item=message("user", "Hi"))
        self.truncate(0)
        self.assertEqual(self.problem(), ("invalid_value", "item_id"))
        self.truncate(0, "item_of_nobody")
        self.assertEqual(self.problem(), ("item_not_found", "item_id"))

    def test_create(self) -> None:
        """Items say who speaks; each speaker has its kind of content."""
        self.client.tell("conversation.item.create", item=message("user", "Hi"))
        spoken = message("assistant", "Hello", "output_text")
        self.client.tell("conversation.item.create", item=spoken)
        texts = [item.text for item in self.session.conversation.items]
        self.assertEqual(texts, ["Hi", "Hello"])
        self.client.tell("conversation.item.create", item=message("assistant", "Hm"))
        self.assertEqual(self.problem(), ("invalid_value", "item.content[0].type"))

    def test_delete_and_retrieve(self) -> None:
        """An item can be asked for until it was deleted."""
        self.client.tell("conversation.item.create", item=message("user", "Hi"))
        [item] = self.session.conversation.items
        for kind in ("retrieve", "delete", "retrieve", "delete"):
            self.client.tell(f"conversation.item.{kind}", item_id=item.id)
        codes = [problem.code for problem in self.session.problems]
        self.assertEqual(codes, ["item_not_found"] * 2)


def message(role: str, text: str, kind: str = "input_text") -> dict[str, object]:
    """:returns: an item that says ``text``."""
    content = [{"type": kind, "text": text}]
    return {"type": "message", "role": role, "content": content}


class FailureTests(SessionCase):
    """Every way in which a session can go wrong."""

    def test_unknown_field(self) -> None:
        """What the API does not know is an error that names the message."""
        self.client.tell("response.create", event_id="mine", when="now")
        self.assertEqual(self.problem(), ("unknown_parameter", "when"))
        self.assertEqual(self.client.all("error")[0]["error"]["event_id"], "mine")

    def test_no_json(self) -> None:
        """What is no message is an error, and the session goes on."""
        for data in (b"{", b"[]", b"\xff"):
            self.client.tell_raw(data)
        self.client.tell_raw(b"{}", binary=True)
        codes = [problem.code for problem in self.session.problems]
        self.assertEqual(codes, ["invalid_json"] * 4)

    def test_failed(self) -> None:
        """A response that fails says why."""
        self.respond(fails="rate_limit_exceeded")
        [done] = self.client.all("response.done")
        self.assertEqual(done["response"]["status"], "failed")
        error = done["response"]["status_details"]["error"]
        self.assertEqual(error["code"], "rate_limit_exceeded")

    def test_incomplete(self) -> None:
        """A response that is cut short says why."""
        self.respond(says=TEXT, incomplete="max_output_tokens")
        [done] = self.client.all("response.done")
        self.assertEqual(done["response"]["status"], "incomplete")

    def test_breaks_off(self) -> None:
        """The socket can end in the middle of a word."""
        self.respond(says=TEXT, breaks_after_ms=300, breaks_with=1011)
        self.assertEqual(self.client.ends, [1011])
        self.assertEqual(len(self.client.sound()), 2400)
        self.assertEqual(self.session.ended, 1011)

    def test_hangs(self) -> None:
        """A response can begin, and never come."""
        self.respond(60, hangs=True)
        self.assertEqual(self.client.kinds()[-1], "response.created")

    def test_expires(self) -> None:
        """After an hour the session ends, and says so."""
        self.client.clock.advance(3600)
        self.client.clock.advance(0)
        self.assertEqual(self.client.events[-1]["error"]["code"], "session_expired")
        self.assertEqual(self.client.ends, [1001])

    def test_mute(self) -> None:
        """A mute double takes everything and answers nothing."""
        self.client.plan.mute = True
        before = len(self.client.events)
        self.respond(says=TEXT)
        self.client.speak()
        self.assertEqual(len(self.client.events), before)

    def test_garbage(self) -> None:
        """It can be made to say what is no event."""
        self.session.say_raw(b"\x00", binary=True)
        self.client.clock.advance(0)
        self.assertEqual(len(self.client.garbage), 1)


class DeafTests(SessionCase):
    """A double for load tests."""

    def test_does_not_listen(self) -> None:
        """The caller's sound is thrown away, however it is written; no turn begins."""
        self.client.plan.hears = False
        sound = base64.b64encode(SPEECH).decode()
        self.client.tell("input_audio_buffer.append", audio=sound)
        text = f'{{"type":"input_audio_buffer.append","audio":"{sound}"}}'
        self.client.tell_raw(text.encode())
        pass_time(self.client.clock, 3.0)
        self.assertEqual(bytes(self.session.heard), b"")
        self.assertEqual(self.client.all("input_audio_buffer.speech_started"), [])
