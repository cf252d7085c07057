"""A connection of the double, message by message."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.doubles.plan import Reply
from twistedvoice.doubles.voice import tones

from .client import SETUP, SPEECH, Client

__all__ = ["EndTests", "FunctionTests", "ResumptionTests", "TurnTests"]

TEXT = "good morning to you"
ONE_CALL = Reply(calls=[("look", {"at": 1})])


class SessionCase(SynchronousTestCase):
    """A client with an open session."""

    def setUp(self) -> None:
        self.client = Client()
        self.session = self.client.open()
        self.addCleanup(self.assert_nothing_left)

    def assert_nothing_left(self) -> None:
        """A client that hangs up leaves no timer behind."""
        self.client.hang_up()
        self.assertEqual(self.client.clock.getDelayedCalls(), [])

    def reply(self, seconds: float = 5.0, **reply: Any) -> None:
        """Have the model say something."""
        self.client.plan.replies.append(Reply(**reply))
        self.client.ask(seconds)

    def refused(self, code: int = 1007) -> None:
        """The client was wrong, and was sent away."""
        self.assertEqual([end[0] for end in self.client.ends], [code])
        self.assertEqual(len(self.session.problems), 1)


class TurnTests(SessionCase):
    """What the model says, and what the caller does."""

    def test_order(self) -> None:
        """A turn comes in the documented order, in binary messages."""
        self.reply(says=TEXT)
        names = self.client.order()
        self.assertEqual(names[:2], ["setupComplete", "sessionResumptionUpdate"])
        self.assertEqual(
            names[-3:],
            ["generationComplete", "turnComplete", "sessionResumptionUpdate"],
        )
        words = self.client.said("serverContent", "outputTranscription", "text")
        self.assertEqual("".join(words), TEXT)
        self.assertEqual(set(self.client.kinds), {True})

    def test_sound(self) -> None:
        """The sound is real; its turn ends when it was played."""
        self.reply(1.3, says=TEXT)
        self.assertEqual(
            self.client.sound(), tones(TEXT, 24000).astype("<i2").tobytes()
        )
        self.assertEqual(
            len(self.client.said("serverContent", "generationComplete")), 1
        )
        self.assertEqual(self.client.said("serverContent", "turnComplete"), [])
        self.client.wait(0.2)
        self.assertEqual(self.client.said("serverContent", "turnComplete"), [True])

    def test_speech(self) -> None:
        """A caller who has spoken is written down, and answered."""
        self.client.plan.transcripts.append("one two three")
        self.client.speak()
        self.assertEqual(self.session.heard[: len(SPEECH)], SPEECH)
        words = self.client.said("serverContent", "inputTranscription", "text")
        self.assertEqual("".join(words), "one two three")
        self.client.wait(5)
        self.assertEqual(self.session.memory.lines[0], ("user", "one two three"))
        self.assertTrue(self.session.memory.lines[1][1].startswith("I heard you"))

    def test_interrupted(self) -> None:
        """A caller who speaks into a turn ends it, until it was played."""
        for seconds, complete in ((0.3, 0), (1.0, 1)):
            self.client.messages.clear()
            self.reply(seconds, says=TEXT)
            self.client.speak()
            names = self.client.order()
            end = names.index("interrupted")
            self.assertEqual(names[end + 1], "turnComplete")
            self.assertEqual(names[:end].count("generationComplete"), complete)
            self.client.wait(10)

    def test_activity(self) -> None:
        """Without its own detection the client says who speaks, and only then."""
        config = {"automaticActivityDetection": {"disabled": True}}
        client = Client()
        session = client.open(realtimeInputConfig=config)
        client.speak()
        self.assertEqual(session.memory.lines, [])
        client.tell(realtimeInput={"activityStart": {}})
        client.tell(realtimeInput={"activityEnd": {}})
        self.assertEqual(len(session.memory.lines), 1)
        client.hang_up()
        self.client.tell(realtimeInput={"activityStart": {}})
        self.refused()

    def test_content(self) -> None:
        """Turns can be added; the model speaks when they are complete."""
        turns = [{"role": "model", "parts": [{"text": "Hello"}]}]
        self.client.tell(clientContent={"turns": turns})
        self.client.wait(1)
        self.assertEqual(self.client.sound(), b"")
        self.client.tell(clientContent={"turnComplete": True})
        self.client.wait(1)
        self.assertNotEqual(self.client.sound(), b"")
        self.assertEqual(self.session.memory.lines[0], ("model", "Hello"))


class FunctionTests(SessionCase):
    """Functions that the model calls."""

    def answer(self, call_id: str, name: str = "look") -> None:
        """Tell a result."""
        result = {"id": call_id, "name": name, "response": {"output": "it"}}
        self.client.tell(toolResponse={"functionResponses": [result]})

    def call(self) -> str:
        """:returns: the id of a call that the model has made."""
        self.client.plan.replies.append(ONE_CALL)
        self.client.ask(0.3)
        [calls] = self.client.said("toolCall", "functionCalls")
        self.assertEqual(calls[0]["args"], {"at": 1})
        return str(calls[0]["id"])

    def test_result(self) -> None:
        """The model goes on by itself when it has all results."""
        self.client.plan.replies.append(ONE_CALL)
        call_id = self.call()
        self.client.plan.replies[:] = [Reply(says=TEXT)]
        self.answer(call_id)
        self.client.wait(2)
        self.assertNotEqual(self.client.sound(), b"")

    def test_taken_back(self) -> None:
        """A caller who speaks meanwhile takes the call back; its result is nothing."""
        call_id = self.call()
        self.client.speak(silence_seconds=0)
        self.assertEqual(self.client.said("toolCallCancellation", "ids"), [[call_id]])
        self.answer(call_id)
        self.assertEqual(self.session.problems, [])

    def test_result_of_nothing(self) -> None:
        """A result that nobody waits for ends the connection."""
        self.call()
        self.answer("other")
        self.refused(1008)


class ResumptionTests(SessionCase):
    """Going on from another connection."""

    def handle(self) -> str:
        """:returns: the newest handle."""
        return str(self.client.said("sessionResumptionUpdate", "newHandle")[-1])

    def resume(self, handle: str) -> list[tuple[str, str]]:
        """:returns: what the model knows in a connection that goes on."""
        self.session = self.client.open(sessionResumption={"handle": handle})
        return self.session.memory.lines

    def test_resumed(self) -> None:
        """The model knows what it knew when the handle was given, and no more."""
        self.reply(says=TEXT)
        handle = self.handle()
        self.reply(0.5, says="never mind")
        self.client.hang_up()
        lines = self.resume(handle)
        self.assertEqual([text for _, text in lines], ["Hello?", TEXT])

    def test_not_in_a_turn(self) -> None:
        """In the middle of a turn there is nothing to go on from."""
        self.reply(0.5, says=TEXT)
        self.assertEqual(self.client.said("sessionResumptionUpdate")[-1], {})

    def test_still_open(self) -> None:
        """Two connections never have the same conversation."""
        self.session = self.client.open(sessionResumption={"handle": "handle-1"})
        self.refused(1011)

    def test_no_good(self) -> None:
        """A handle that is unknown or too old is refused."""
        self.client.hang_up()
        self.client.clock.advance(7201)
        for handle in ("handle-1", "other"):
            self.client.ends.clear()
            self.session = self.client.open(sessionResumption={"handle": handle})
            self.refused(1008)


class EndTests(SessionCase):
    """Every way in which a connection ends."""

    def test_set_up_first(self) -> None:
        """What comes before the set-up, or a second set-up, is refused."""
        self.client.tell(setup=SETUP)
        self.refused()
        self.client.ends.clear()
        self.client.dial()
        self.session = self.client.double.session
        self.client.tell(realtimeInput={"text": "Hi"})
        self.refused()

    def test_model(self) -> None:
        """A model that does not exist is not found."""
        self.client.plan.model = "models/other"
        self.session = self.client.open()
        self.refused(1008)

    def test_no_message(self) -> None:
        """What is no message, or is unknown, ends the connection with words."""
        for data in (b"{", b"[]", b'{"sing": 1}'):
            self.client.ends.clear()
            self.session = self.client.open()
            self.client.tell_raw(data)
            self.refused()
            self.assertNotEqual(self.client.ends[0][1], "")

    def test_other_rate(self) -> None:
        """Sound that is not what it takes is refused."""
        self.client.hear(b"", "audio/pcmu")
        self.refused()

    def test_goes_away(self) -> None:
        """After ten minutes the connection ends, and says so before."""
        self.client.clock.advance(590)
        self.client.clock.advance(0)
        self.assertEqual(self.client.messages[-1], {"goAway": {"timeLeft": "10s"}})
        self.client.clock.advance(10)
        self.client.clock.advance(0)
        self.assertEqual([code for code, _ in self.client.ends], [1008])

    def test_uncompressed(self) -> None:
        """A session that is not compressed lasts a quarter of an hour, in all."""
        self.client.clock.advance(500)
        self.client.hang_up()
        handle = self.client.said("sessionResumptionUpdate", "newHandle")[-1]
        self.client.open(sessionResumption={"handle": handle})
        self.client.clock.advance(399)
        self.client.clock.advance(0)
        self.assertEqual(self.client.ends, [])
        self.client.clock.advance(2)
        self.client.clock.advance(0)
        self.assertEqual([code for code, _ in self.client.ends], [1008])

    def test_fails(self) -> None:
        """A turn that fails says why."""
        self.reply(fails="MALFORMED_FUNCTION_CALL")
        reasons = self.client.said("serverContent", "turnCompleteReason")
        self.assertEqual(reasons, ["MALFORMED_FUNCTION_CALL"])

    def test_breaks_off(self) -> None:
        """The socket can end in the middle of a word."""
        self.reply(says=TEXT, breaks_after_ms=300, breaks_with=1011)
        self.assertEqual([code for code, _ in self.client.ends], [1011])
        self.assertEqual(len(self.client.sound()), 14400)

    def test_hangs(self) -> None:
        """A turn can be begun, and never come; so can all else."""
        for mute in (False, True):
            self.client.plan.mute = mute
            before = len(self.client.messages)
            self.reply(10, hangs=True)
            self.assertEqual(self.client.sound(), b"")
            self.assertLessEqual(len(self.client.messages), before + 1)
