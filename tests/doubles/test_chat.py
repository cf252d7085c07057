# -*- test-case-name: tests.doubles.test_chat -*-
"""The double of a chat model by itself."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.doubles.chat import ChatDouble, ChatReply
from twistedvoice.doubles.http import MemoryHttp
from twistedvoice.errors import CarrierApiError
from twistedvoice.interfaces import HttpRequest, HttpResponse

__all__ = ["ChatTests"]

URL = "https://x/v1/chat/completions"
USER = {"role": "user", "content": "hello"}
CALLS = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "c1", "type": "function"}],
}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "x"}


class ChatTests(SynchronousTestCase):
    """What it says."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.double = ChatDouble(self.clock)
        self.came = b""

    def ask(
        self, *messages: object, url: str = URL, **body: Any
    ) -> Deferred[HttpResponse]:
        """:returns: the answer, half a second later."""
        asked = {"model": "m", "stream": True, "messages": messages or [USER], **body}
        request = HttpRequest(
            method="POST",
            url=url,
            headers={"authorization": "Bearer sk-chat"},
            body=json.dumps(asked).encode(),
        )

        def write(piece: bytes) -> Deferred[None]:
            self.came += piece
            return succeed(None)

        fetched = MemoryHttp(self.clock, self.double).fetch(request, write, 1 << 20)
        self.clock.pump([0.01] * 50)
        return fetched

    def deltas(self) -> list[dict[str, Any]]:
        """:returns: what came, delta by delta."""
        lines = self.came.decode().splitlines()
        data = [line[6:] for line in lines if line.startswith("data: {")]
        choices = [json.loads(each).get("choices", [{}])[0] for each in data]
        return [choice.get("delta", {}) for choice in choices]

    def words(self) -> str:
        """:returns: what it said."""
        return "".join(delta.get("content") or "" for delta in self.deltas())

    def test_says(self) -> None:
        """Words come one by one; without a plan it says what it was told."""
        self.successResultOf(self.ask())
        self.assertEqual(self.words(), "You said: hello. Go on.")
        self.assertTrue(self.came.endswith(b"data: [DONE]\n\n"))

    def test_calls(self) -> None:
        """A function comes in pieces."""
        reply = ChatReply(calls=[("order", {"number": "17"})])
        self.double.plan.replies.append(reply)
        self.successResultOf(self.ask())
        calls = [d["tool_calls"][0] for d in self.deltas() if "tool_calls" in d]
        self.assertEqual(calls[0]["function"]["name"], "order")
        pieces = [call["function"]["arguments"] for call in calls]
        self.assertGreater(len(pieces), 2)
        self.assertEqual("".join(pieces), '{"number": "17"}')

    def test_failures(self) -> None:
        """It refuses, fails in the middle, breaks off, hangs, or leaves out the end."""
        tale = "one two three"
        self.double.plan.replies += [
            ChatReply(status=429, code="x", headers={"retry-after": "1"}),
            ChatReply(says=tale, fails_after=2, code="y"),
            ChatReply(says=tale, breaks_after=2),
            ChatReply(says=tale, says_done=False),
            ChatReply(hangs=True),
        ]
        refused = self.successResultOf(self.ask())
        self.assertEqual((refused.status, refused.headers["retry-after"]), (429, "1"))
        self.assertEqual(json.loads(refused.body)["error"]["code"], "x")
        self.successResultOf(self.ask())
        self.assertEqual(self.words(), "one two")
        self.assertIn(b'"code": "y"', self.came)
        self.failureResultOf(self.ask(), CarrierApiError)
        self.came = b""
        self.successResultOf(self.ask())
        self.assertNotIn(b"DONE", self.came)
        self.assertNoResult(self.ask())

    def test_client_goes(self) -> None:
        """It stops when nobody listens any more."""
        self.double.plan.replies.append(ChatReply(says="word " * 100))
        fetched = self.ask()
        fetched.cancel()
        self.failureResultOf(fetched)
        self.assertEqual(self.double.broken_off, 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_conversations(self) -> None:
        """What no API would take is refused and kept."""
        self.successResultOf(self.ask(USER, CALLS, RESULT))
        self.assertEqual(self.double.problems, [])
        for messages in (
            [{"role": "user"}],
            [{"role": "boss", "content": "x"}],
            [USER, RESULT],
            [USER, CALLS],
            [USER, CALLS, USER],
            [USER, {"role": "assistant", "content": "x"}],
        ):
            self.assertEqual(self.successResultOf(self.ask(*messages)).status, 400)
        wrong: tuple[dict[str, Any], ...] = (
            {"stream": False},
            {"model": None},
            {"messages": []},
        )
        for body in wrong:
            self.assertEqual(self.successResultOf(self.ask(**body)).status, 400)
        self.assertEqual(len(self.double.problems), 9)

    def test_door(self) -> None:
        """A wrong path or key is refused."""
        self.assertEqual(self.successResultOf(self.ask(url="https://x/")).status, 404)
        self.double.plan.key = "another"
        self.assertEqual(self.successResultOf(self.ask()).status, 401)
