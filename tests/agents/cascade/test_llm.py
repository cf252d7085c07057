# -*- test-case-name: tests.agents.cascade.test_llm -*-
"""Chat completions as they are streamed; whole answers are in ``test_agent``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.cascade.history import FunctionCall
from twistedvoice.agents.cascade.llm import Chat, Completion
from twistedvoice.errors import CarrierApiError, ChatFailed, DialectError
from twistedvoice.interfaces import HttpRequest, HttpResponse

__all__ = ["ChatTests", "CompletionTests"]


def event(**delta: object) -> bytes:
    """:returns: one chunk of an answer."""
    reason = delta.pop("reason", None)
    choices = [{"index": 0, "delta": delta, "finish_reason": reason}]
    return f"data: {json.dumps({'choices': choices})}\n\n".encode()


def fragment(index: int | None, call_id: str | None, **function: str) -> bytes:
    """:returns: a piece of a function call."""
    call: dict[str, Any] = {"function": function}
    call |= {} if index is None else {"index": index}
    call |= {} if call_id is None else {"id": call_id, "type": "function"}
    return event(tool_calls=[call])


ANSWER = (
    event(role="assistant", content="")
    + event(content="Grüß ")
    + b": still here\n\n"
    + event(content="dich 🙂")
    + fragment(0, "c1", name="order", arguments="")
    + fragment(0, None, arguments='{"num')
    + fragment(1, "c2", name="look", arguments="")
    + fragment(0, None, arguments='ber":"ß"}')
    + event(reason="tool_calls")
    + b'data: {"choices":[],"usage":{"total_tokens":7}}\n\n'
    + b"data: [DONE]\n\n"
)


class CompletionTests(SynchronousTestCase):
    """One stream."""

    def test_cut_anywhere(self) -> None:
        """Words and calls are the same, wherever the stream is cut."""
        calls = [
            FunctionCall(id="c1", name="order", arguments='{"number":"ß"}'),
            FunctionCall(id="c2", name="look", arguments=""),
        ]
        data = ANSWER.replace(b"\\u00fc", "ü".encode())
        for size in (*range(1, 40), len(data)):
            completion, words = Completion(), ""
            for start in range(0, len(data), size):
                words += "".join(completion.feed(data[start : start + size]))
            self.assertEqual((words, completion.end()), ("Grüß dich 🙂", calls))

    def test_others(self) -> None:
        """Some give no index and whole calls, no id, no end mark, or no reason."""
        completion = Completion()
        data = fragment(None, "a", name="f", arguments="{}")
        data += fragment(None, "b", name="g", arguments="{}") + event(reason="stop")
        self.assertEqual(list(completion.feed(data)), [])
        self.assertEqual([call.id for call in completion.end()], ["a", "b"])
        completion = Completion()
        list(completion.feed(fragment(0, None, name="f") + b"data: [DONE]\n\n"))
        self.assertEqual([call.id for call in completion.end()], ["call_0"])

    def test_broken_off(self) -> None:
        """A stream that ends without a reason is no answer."""
        completion = Completion()
        list(completion.feed(event(content="Well")))
        self.assertRaises(ChatFailed, completion.end)

    def test_error_within(self) -> None:
        """An error in the stream ends it, by its code alone."""
        data = b'data: {"error":{"message":"secret","code":"server_error"}}\n\n'
        failed = self.assertRaises(ChatFailed, list, Completion().feed(data))
        self.assertEqual((str(failed), failed.hopeless), ("error server_error", False))

    def test_nonsense(self) -> None:
        """What is no answer is an error."""
        for data in (
            *(b"data: {\n\n", b"data: []\n\n", b'data: {"choices":[1]}\n\n'),
            *(event(content=["Well"]), b"data: " + b"[" * 100_000 + b"\n\n"),
        ):
            self.assertRaises(DialectError, list, Completion().feed(data))


class Asker:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def words_came(self, text: str) -> None:
        self.told.append(text)

    def chat_ended(self, calls: Sequence[FunctionCall]) -> None:
        self.told.append(list(calls))

    def chat_failed(self, failed: ChatFailed) -> None:
        self.told.append((failed.reason, failed.hopeless, failed.wait_seconds))


class ChatTests(SynchronousTestCase):
    """One request."""

    def setUp(self) -> None:
        self.requests: list[HttpRequest] = []
        self.cancelled = 0
        self.answer: Deferred[HttpResponse]
        self.write: Callable[[bytes], Deferred[None]]

    def fetch(
        self,
        request: HttpRequest,
        write: Callable[[bytes], Deferred[None]],
        limit: int,
    ) -> Deferred[HttpResponse]:
        def cancel(_: object) -> None:
            self.cancelled += 1

        self.requests.append(request)
        self.write, self.answer = write, Deferred(cancel)
        return self.answer

    def ask(self) -> tuple[Asker, Callable[[], None]]:
        """:returns: who asked, and what breaks it off."""
        chat = Chat(
            fetch=self.fetch, url="https://x/v1", key="secret", model="m", tools=()
        )
        asker = Asker()
        messages = [{"role": "user", "content": "private"}]
        return asker, chat.ask(messages, asker, lambda step: step())

    def refuse(self, status: int, body: bytes = b"", **headers: str) -> Asker:
        """:returns: who asked and was refused."""
        asker, _ = self.ask()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer.callback(HttpResponse(status=status, headers=named, body=body))
        return asker

    def test_request(self) -> None:
        """It is streamed, and shows neither key nor words."""
        self.ask()
        [request] = self.requests
        self.assertEqual(request.url, "https://x/v1/chat/completions")
        self.assertEqual(request.headers["Authorization"], "Bearer secret")
        body = json.loads(request.body or b"")
        self.assertEqual((body["model"], body["stream"]), ("m", True))
        self.assertNotIn("tools", body)
        self.assertNotRegex(repr(request), "secret|private")

    def test_end(self) -> None:
        """The end is told at its mark, and not again when the connection ends."""
        asker, _ = self.ask()
        self.successResultOf(self.write(event(content="Yes.") + event(reason="stop")))
        self.assertEqual(asker.told, ["Yes."])
        self.write(b"data: [DONE]\n\n")
        self.assertEqual(asker.told, ["Yes.", []])
        self.answer.callback(HttpResponse(status=200, headers={}, body=b""))
        self.assertEqual(asker.told, ["Yes.", []])

    def test_break_off(self) -> None:
        """Who breaks it off is told no more, and the connection is closed."""
        asker, break_off = self.ask()
        self.write(event(content="Yes"))
        break_off()
        self.write(event(content=" but"))
        self.assertEqual((asker.told, self.cancelled), (["Yes"], 1))

    def test_refusals(self) -> None:
        """What stays as it is is hopeless; what passes says how long it takes."""
        quota = b'{"error":{"code":"insufficient_quota","message":"secret"}}'
        for asker, wanted in (
            (self.refuse(401, b"?"), ("HTTP 401", True, 0.0)),
            (self.refuse(400, b"[]"), ("HTTP 400", True, 0.0)),
            (self.refuse(503, retry_after="2"), ("HTTP 503", False, 2.0)),
            (self.refuse(429, retry_after_ms="1500.5"), ("HTTP 429", False, 1.5)),
            (self.refuse(429, retry_after="Mon, 1 Jan"), ("HTTP 429", False, 0.0)),
            (self.refuse(503, retry_after="\u00b2"), ("HTTP 503", False, 0.0)),
            (self.refuse(500, b"[" * 100_000), ("HTTP 500", False, 0.0)),
            (self.refuse(429, quota), ("HTTP 429 insufficient_quota", True, 0.0)),
        ):
            self.assertEqual(asker.told, [wanted])

    def test_failures(self) -> None:
        """No answer, and nonsense, may be otherwise the next time."""
        lost = CarrierApiError("cut", status=None, code=None, retryable=True)
        for error in (lost, DialectError("cut")):
            asker, _ = self.ask()
            self.answer.errback(Failure(error))
            self.assertEqual(asker.told, [("cut", False, 0.0)])

    def test_bug(self) -> None:
        """What nobody expected is logged, and the caller not left alone."""
        asker, _ = self.ask()
        self.answer.errback(Failure(ZeroDivisionError()))
        self.assertEqual(asker.told, [("failed", False, 0.0)])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
