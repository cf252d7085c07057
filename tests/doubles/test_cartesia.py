# -*- test-case-name: tests.doubles.test_cartesia -*-
"""The double of Cartesia by itself."""

from __future__ import annotations

import base64
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.audio import pcm
from twistedvoice.doubles.cartesia import CartesiaDouble, Mishap
from twistedvoice.doubles.voice import tones
from twistedvoice.formats import MULAW_8K

from .client_socket import ClientSocket

__all__ = ["CartesiaTests"]

URL = "wss://x/tts/websocket"
HEADERS = {"X-API-Key": "sk-cartesia", "Cartesia-Version": "2026-03-01"}
FORMAT = {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000}


def request(**changes: object) -> dict[str, Any]:
    """:returns: a text to speak."""
    return {
        "model_id": "m",
        "transcript": "hello there",
        "voice": {"mode": "id", "id": "v"},
        "language": "en",
        "output_format": FORMAT,
        "context_id": "c1",
        "continue": False,
        **changes,
    }


class CartesiaTests(SynchronousTestCase):
    """What it speaks."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.double = CartesiaDouble(self.clock)

    def client(self, url: str = URL, **headers: str) -> ClientSocket:
        """:returns: a new client."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return ClientSocket(self.clock, self.double, url, {**HEADERS, **named})

    def sound(self, client: ClientSocket, context_id: str) -> bytes:
        """:returns: all that came of a context."""
        return b"".join(
            base64.b64decode(told["data"])
            for told in client.told
            if told["type"] == "chunk" and told["context_id"] == context_id
        )

    def test_speaks(self) -> None:
        """A text is a tone for each word, and then it is done; two at once as well."""
        client = self.client()
        client.send(request())
        client.send(request(context_id="c2", transcript="you"))
        client.pass_time(1)
        for context_id, text in (("c1", "hello there"), ("c2", "you")):
            sound = pcm.encode(tones(text, 8000), MULAW_8K)
            self.assertEqual(self.sound(client, context_id), sound)
        self.assertEqual(client.kinds().count("done"), 2)
        self.assertEqual(self.double.texts(), ["hello there", "you"])

    def test_cancel(self) -> None:
        """Nothing comes of what is cancelled."""
        client = self.client()
        client.send(request())
        client.pass_time(0.12)
        client.send({"context_id": "c1", "cancel": True})
        came = len(client.told)
        client.pass_time(1)
        self.assertGreater(came, 0)
        self.assertEqual(len(client.told), came)

    def test_mishaps(self) -> None:
        """A text may fail, hang, or break off."""
        plan = self.double.plan
        plan.mishaps += [Mishap(status=500, code="x"), Mishap(hangs=True)]
        plan.mishaps.append(Mishap(breaks_after_ms=200))
        client = self.client()
        client.send(request())
        client.send(request(context_id="c2"))
        client.pass_time(1)
        [told] = client.told
        self.assertEqual((told["status_code"], told["error_code"]), (500, "x"))
        client.send(request(context_id="c3"))
        client.pass_time(1)
        self.assertEqual((len(self.sound(client, "c3")), client.ended), (1600, 1006))

    def test_problems(self) -> None:
        """What is asked wrong is refused and kept."""
        client = self.client()
        client.send(request())
        wrong = (
            *("{", b"\x00", request(), request(context_id="a", model_id=7)),
            request(context_id="b", transcript=" "),
            request(context_id="c", speed=1),
            request(context_id="d", voice={"mode": "id"}),
            request(context_id="e", output_format={**FORMAT, "encoding": "mp3"}),
        )
        for told in wrong:
            client.send(told)
        self.assertEqual(len(self.double.sessions[0].problems), len(wrong))
        self.assertEqual(client.kinds(), ["error"] * len(wrong))
        client.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_refused(self) -> None:
        """A wrong path or key, or no version, is refused, and what the plan says."""
        self.assertEqual(self.client("wss://x/tts").refused, 404)
        self.assertEqual(self.client(X_API_Key="another").refused, 401)
        without = {"X-API-Key": "sk-cartesia"}
        client = ClientSocket(self.clock, self.double, URL, without)
        self.assertEqual(client.refused, 400)
        self.double.plan.refusals.append(503)
        self.assertEqual(self.client().refused, 503)
