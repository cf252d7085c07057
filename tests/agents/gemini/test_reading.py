"""What the API says, by the examples of its documentation."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.gemini.reading import Reading
from twistedvoice.agents.model import events
from twistedvoice.agents.model.events import Event
from twistedvoice.errors import DialectError
from twistedvoice.events import Message

__all__ = ["ReadingTests"]

SOUND = {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": "AQID"}}
ANSWER = "answer 1"


def words(side: str, text: str, **more: object) -> dict[str, Any]:
    """:returns: a transcript of one side."""
    return {f"{side}Transcription": {"text": text, **more}}


class ReadingTests(SynchronousTestCase):
    """A session's messages become events."""

    def setUp(self) -> None:
        self.reading = Reading()

    def told(self, **message: object) -> list[Event]:
        """:returns: how a message is read."""
        return list(self.reading.read(Message(json.dumps(message).encode(), True)))

    def content(self, **content: object) -> list[Event]:
        """:returns: how a message with content is read."""
        return self.told(serverContent=content)

    def speak(self) -> list[Event]:
        """:returns: what a piece of sound is read as."""
        return self.content(modelTurn={"role": "model", "parts": [SOUND]})

    def test_answer(self) -> None:
        """An answer begins with its first piece, and ends with its turn."""
        sound = events.SoundCame(ANSWER, ANSWER, 0, b"\1\2\3")
        self.assertEqual(self.speak(), [events.ResponseBegan(ANSWER), sound])
        self.assertEqual(self.speak(), [sound])
        self.assertEqual(
            self.content(generationComplete=True), [events.SoundEnded(ANSWER)]
        )
        *_, ended = self.content(turnComplete=True)
        self.assertEqual(
            ended, events.ResponseEnded(response_id=ANSWER, status="completed")
        )
        self.assertEqual(self.speak()[0], events.ResponseBegan("answer 2"))

    def test_all_at_once(self) -> None:
        """Several fields of one message are read in the order that makes sense."""
        read = self.content(
            turnComplete=True,
            generationComplete=True,
            modelTurn={"parts": [SOUND]},
            **words("output", "hi"),
            **words("input", "hello"),
        )
        self.assertEqual(
            [type(event).__name__ for event in read],
            [
                *("SpeechStarted", "SpeechStopped", "WordsHeard", "WordsEnded"),
                *("ResponseBegan", "WordsCame", "SoundCame"),
                *("SoundEnded", "SoundEnded", "ResponseEnded"),
            ],
        )

    def test_interrupted(self) -> None:
        """An interrupted answer is cancelled; the rest of its turn is dropped."""
        self.speak()
        started, ended, cancelled = self.content(interrupted=True)
        self.assertIsInstance(started, events.SpeechStarted)
        self.assertIsInstance(ended, events.SoundEnded)
        self.assertEqual(
            cancelled, events.ResponseEnded(response_id=ANSWER, status="cancelled")
        )
        self.assertEqual(self.speak(), [])
        self.assertEqual(self.content(**words("output", "late")), [])
        self.assertEqual(self.content(turnComplete=True), [])
        stopped, began, _ = self.speak()
        self.assertIsInstance(stopped, events.SpeechStopped)
        self.assertEqual(began, events.ResponseBegan("answer 2"))

    def test_failed(self) -> None:
        """A turn may end for a reason; some are as good as none."""
        for reason, status in (
            ("NEED_MORE_INPUT", "completed"),
            ("MALFORMED_FUNCTION_CALL", "failed"),
        ):
            self.speak()
            *_, ended = self.content(turnComplete=True, turnCompleteReason=reason)
            assert isinstance(ended, events.ResponseEnded)
            self.assertEqual(ended.status, status)

    def test_words_of_the_caller(self) -> None:
        """Words come in pieces, and are whole when the answer begins."""
        first = self.content(**words("input", "tell "))
        self.assertEqual(
            [type(event).__name__ for event in first],
            ["SpeechStarted", "SpeechStopped", "WordsHeard"],
        )
        second = self.content(**words("input", "me"))
        self.assertEqual(second, [events.WordsHeard("turn 0", "me")])
        self.assertEqual(self.speak()[0], events.WordsEnded("turn 0"))

    def test_late_words(self) -> None:
        """Words that come while the answer does belong to the turn before it."""
        self.speak()
        late = self.content(**words("input", "please"))
        self.assertEqual(late, [events.WordsHeard("turn 0", "please")])
        self.assertIn(events.WordsEnded("turn 0"), self.content(turnComplete=True))

    def test_finished_words(self) -> None:
        """Words that are said to be finished are."""
        *_, ended = self.content(**words("input", "stop", finished=True))
        self.assertEqual(ended, events.WordsEnded("turn 0"))

    def test_early_words(self) -> None:
        """Words of the model that come before its sound wait for the answer."""
        self.assertEqual(self.content(**words("output", "hel")), [])
        self.assertEqual(self.content(**words("output", "lo")), [])
        self.assertEqual(self.speak()[1], events.WordsCame(ANSWER, "hello"))

    def test_calls(self) -> None:
        """Functions are called by an answer, which ends with that."""
        calls = [{"id": "1", "name": "f", "args": {"a": 1}}, {"id": "2", "name": "g"}]
        began, first, second, *_, ended = self.told(toolCall={"functionCalls": calls})
        self.assertEqual(began, events.ResponseBegan(ANSWER))
        self.assertEqual(first, events.FunctionCalled(ANSWER, "1", "f", '{"a": 1}'))
        self.assertEqual(second, events.FunctionCalled(ANSWER, "2", "g", "{}"))
        self.assertIsInstance(ended, events.ResponseEnded)
        back = self.told(toolCallCancellation={"ids": ["1", "2"]})
        self.assertEqual(back, [events.CallsTakenBack(["1", "2"])])

    def test_session(self) -> None:
        """What becomes of the session is told."""
        for message, event in (
            ({"setupComplete": {}}, events.SessionSet()),
            ({"goAway": {"timeLeft": "10s"}}, events.GoingAway()),
            (
                {"sessionResumptionUpdate": {"newHandle": "h", "resumable": True}},
                events.Resumable("h"),
            ),
        ):
            self.assertEqual(self.told(**message), [event])
        self.assertEqual(self.told(sessionResumptionUpdate={"resumable": False}), [])

    def test_private(self) -> None:
        """What people say, and handles, are not shown."""
        update = {"newHandle": "secret", "resumable": True}
        for event in (
            *self.content(**words("input", "secret")),
            *self.told(sessionResumptionUpdate=update),
        ):
            self.assertNotIn("secret", repr(event))

    def test_unknown(self) -> None:
        """What is new is none of our business."""
        self.assertEqual(self.told(usageMetadata={"totalTokenCount": 1}), [])
        self.assertEqual(self.content(groundingMetadata={}, waitingForInput=True), [])
        thought = {"text": "hm", "thought": True}
        [began] = self.content(modelTurn={"parts": [thought]})
        self.assertEqual(began, events.ResponseBegan(ANSWER))

    def test_broken(self) -> None:
        """What is no message is told as that, without its words."""
        for data in (
            b"",
            b"\xff",
            b"[" * 100_000,
            b"[]",
            b"3",
            b'{"serverContent": "secret"}',
            b'{"serverContent": {"inputTranscription": {"text": 3}}}',
            b'{"serverContent": {"modelTurn": {"parts": [{"inlineData":'
            b' {"mimeType": "audio/pcm", "data": "secret!"}}]}}}',
            b'{"toolCall": {"functionCalls": [{"id": 1, "name": "secret"}]}}',
        ):
            message = Message(data, binary=True)
            error = self.assertRaises(DialectError, Reading().read, message)
            self.assertNotIn("secret", str(error))
