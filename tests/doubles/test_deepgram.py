# -*- test-case-name: tests.doubles.test_deepgram -*-
"""The double of Deepgram by itself."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.audio import pcm
from twistedvoice.doubles.deepgram import DeepgramDouble
from twistedvoice.doubles.voice import tones
from twistedvoice.formats import MULAW_8K

from .client_socket import ClientSocket

__all__ = ["DeepgramTests"]

QUERY = (
    "model=m&encoding=mulaw&sample_rate=8000&interim_results=true&endpointing=300"
    "&utterance_end_ms=1000"
)
URL = f"wss://x/v1/listen?{QUERY}"
SPEECH = pcm.encode(tones("one two three", 8000), MULAW_8K)
QUIET = b"\xff" * 8000


class DeepgramTests(SynchronousTestCase):
    """What it says of what it hears."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.double = DeepgramDouble(self.clock)

    def client(self, url: str = URL, key: str = "Token dg-double") -> ClientSocket:
        """:returns: a new client."""
        return ClientSocket(self.clock, self.double, url, {"Authorization": key})

    def results(self, client: ClientSocket) -> list[tuple[Any, ...]]:
        """:returns: what was understood: words, final, end."""
        return [
            (
                told["channel"]["alternatives"][0]["transcript"],
                told["is_final"],
                told["speech_final"],
            )
            for told in client.told
            if told["type"] == "Results"
        ]

    def test_turn(self) -> None:
        """Words grow with the sound, and are final when it is quiet."""
        self.double.plan.says += ["a b c"]
        client = self.client()
        for start in range(0, len(SPEECH + QUIET), 160):
            client.send((SPEECH + QUIET)[start : start + 160])
        results = self.results(client)
        guesses = [words for words, is_final, _ in results if not is_final]
        self.assertEqual(sorted(set(guesses), key=len), ["a", "a b", "a b c"])
        self.assertIn(("a b c", True, True), results)
        client.send(SPEECH + QUIET)
        self.assertRegex(self.results(client)[-1][0], "I spoke for .* milliseconds")

    def test_silence(self) -> None:
        """It says that nothing is said."""
        client = self.client()
        client.send(QUIET * 2)
        self.assertEqual(self.results(client), [("", True, False)])

    def test_words_that_stop(self) -> None:
        """Where silence is not heard, words stop coming."""
        self.double.plan.misses_silence = True
        self.double.plan.pieces = 2
        self.double.plan.says += ["a b"]
        client = self.client()
        client.send(SPEECH + QUIET)
        self.assertEqual(
            self.results(client)[-2:], [("a", True, False), ("b", True, False)]
        )
        self.assertNotIn("UtteranceEnd", client.kinds())
        client.pass_time(1)
        self.assertEqual(client.kinds()[-1], "UtteranceEnd")

    def test_idle(self) -> None:
        """It hangs up on who is silent, unless that one says that it is there."""
        client = self.client()
        for _ in range(3):
            client.pass_time(8)
            client.send({"type": "KeepAlive"})
        self.assertIsNone(client.ended)
        client.pass_time(10.1)
        self.assertEqual(client.ended, 1011)
        self.assertEqual(self.double.sessions[0].problems, ["NET-0001"])

    def test_close(self) -> None:
        """It says goodbye when it is told to."""
        client = self.client()
        client.send({"type": "CloseStream"})
        self.assertEqual((client.kinds(), client.ended), (["Metadata"], 1000))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_problems(self) -> None:
        """What it is told wrong is kept."""
        client = self.client()
        wrong: tuple[object, ...] = ("{", [], {"type": "Stop"})
        for told in wrong:
            client.send(told)
        problems = self.double.sessions[0].problems
        self.assertEqual(problems[2], "unknown type 'Stop'")
        client.close()
        self.assertEqual(self.double.sessions[0].ended, 1000)

    def test_refused(self) -> None:
        """A wrong path, key or query is refused, and what the plan says."""
        for url, key, status in (
            ("wss://x/v2/listen", "Token dg-double", 404),
            (URL, "Token another", 401),
            (URL.replace("mulaw", "mp3"), "Token dg-double", 400),
            (URL.replace("results=true", "results=false"), "Token dg-double", 400),
        ):
            self.assertEqual(self.client(url, key).refused, status)
        self.double.plan.refusals.append(503)
        self.assertEqual(self.client().refused, 503)
