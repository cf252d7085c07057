# -*- test-case-name: tests.agents.gemini.test_losses -*-
"""Sessions that end: how the next one goes on from them, and when there is none."""

from __future__ import annotations

from tests.agents.model.cases import HELLO, TALE, LossCases
from twistedvoice.doubles.plan import Reply

from .talk import Talk, TalkCase, sound_of

__all__ = ["LossTests"]


def handle(talk: Talk) -> str:
    """:returns: what the newest session was to go on from."""
    handle: str = talk.session.setup["sessionResumption"].get("handle", "")
    return handle


def told(talk: Talk) -> str:
    """:returns: what the newest session was told of what was said before."""
    parts = talk.session.setup["systemInstruction"]["parts"]
    return "".join(part["text"] for part in parts[1:])


class LossTests(LossCases, TalkCase):
    """Sessions that are lost, and models that are not there."""

    def test_resumed(self) -> None:
        """A lost session is gone on from; the answer that is due is given."""
        broken = Reply(says=TALE, breaks_after_ms=1000)
        talk = self.talk(
            *(Reply(says=HELLO), broken, Reply(says="so it went on")),
            transcripts=["a story please"],
        )
        talk.start(2)
        talk.speak(4)
        self.assertEqual(len(talk.double.sessions), 2)
        self.assertTrue(handle(talk))
        # It knows the greeting; what came after its handle it is told.
        self.assertEqual(talk.session.memory.lines[1], ("model", HELLO))
        self.assertIn("Caller: a story please\nYou: once", told(talk))
        self.assertNotIn(HELLO, told(talk))
        self.assertTrue(talk.call.heard.endswith(sound_of("so it went on")))

    def test_not_resumable(self) -> None:
        """Where that is refused a new session is told all that was said."""
        talk = self.talk(Reply(says=HELLO), refuses_handles=True)
        call = talk.start(2)
        talk.session.break_off(1011)
        call.advance(2)
        self.assertEqual([len(s.problems) for s in talk.double.sessions], [0, 1, 0])
        talk.double.sessions[1].problems.clear()
        self.assertEqual(handle(talk), "")
        self.assertIn(f"You: {HELLO}", told(talk))
        self.assertEqual(talk.asked(), 0)

    def test_goes_away(self) -> None:
        """A connection that will end is changed between two turns; nothing is lost."""
        talk = self.talk(Reply(says=HELLO), lifetime_seconds=60.0)
        call = talk.start(53)
        first, second = talk.double.sessions
        self.assertEqual((first.ended, second.ended), (1000, None))
        self.assertTrue(handle(talk))
        self.assertEqual(second.memory.lines[1:], [("model", HELLO)])
        talk.speak(3)
        self.assertEqual(call.events, [])
        self.assertGreater(len(call.heard), len(sound_of(HELLO)))

    def test_goes_away_in_a_turn(self) -> None:
        """A turn is finished before the connection is changed."""
        talk = self.talk(Reply(says=HELLO), lifetime_seconds=60.0)
        call = talk.start(48.5)
        talk.plan.replies.append(Reply(says=TALE))
        talk.speak(1)
        first = talk.double.sessions[0]
        self.assertIsNone(first.ended)
        call.advance(5)
        self.assertEqual((first.ended, len(talk.double.sessions)), (1000, 2))
        self.assertTrue(call.heard.endswith(sound_of(TALE)))

    def test_hears_while_it_moves(self) -> None:
        """What the caller says while the connection changes is heard by the next."""
        talk = self.talk(Reply(says=HELLO), lifetime_seconds=60.0, delay=0.3)
        call = talk.start(50)
        call.advance(0.5)
        talk.speak(3)
        self.assertEqual(len(talk.double.sessions), 2)
        self.assertGreater(len(call.heard), len(sound_of(HELLO)))

    def test_long_call(self) -> None:
        """An hour is seven connections, and one conversation."""
        talk = self.talk(Reply(says=HELLO))
        call = talk.start(3600)
        self.assertFalse(call.ended)
        ends = [session.ended for session in talk.double.sessions]
        self.assertEqual(ends, [*[1000] * 6, None])
        self.assertEqual(talk.session.memory.lines[1:], [("model", HELLO)])

    def test_wrong_key(self) -> None:
        """A key, or a model, that is not known ends in the apology, at once."""
        for wrong in ({"key": "other"}, {"model": "models/other"}):
            talk = self.talk(**wrong)
            talk.start(1)
            [session] = talk.double.sessions
            self.assertEqual(len(session.problems), 1)
            session.problems.clear()
            self.assert_apologised(talk, "hung_up")

    def test_failed_answers(self) -> None:
        """A failed answer is asked for again; three in a row are enough."""
        failed = Reply(fails="MALFORMED_FUNCTION_CALL")
        talk = self.talk(failed, Reply(says=HELLO))
        self.assertEqual(talk.start(3).heard, sound_of(HELLO))
        talk = self.talk(*[failed] * 3)
        talk.start(4)
        self.assertEqual(talk.asked(), 3)
        self.assert_apologised(talk, "hung_up")

    def test_no_answer(self) -> None:
        """A caller whose words are known but not answered is not left waiting."""
        talk = self.talk(Reply(says=HELLO), Reply(hangs=True), Reply(says=TALE))
        call = talk.start(2)
        talk.speak(14)
        self.assertEqual(len(talk.double.sessions), 2)
        self.assertTrue(call.heard.endswith(sound_of(TALE)))

    def test_garbage(self) -> None:
        """What cannot be read is passed over; too much of it is a lost session."""
        talk = self.talk(Reply(says=HELLO))
        call = talk.start(1)
        for sessions in (1, 2):
            for data in (b"", b"\xff", b"[]", b"3", b'{"toolCall": {}}', b'{"goAway"'):
                talk.session.say_raw(data)
            call.advance(1)
            self.assertEqual(len(talk.double.sessions), sessions)
