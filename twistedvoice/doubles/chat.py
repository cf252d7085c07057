# -*- test-case-name: tests.doubles.test_chat -*-
"""Chat completions as OpenAI streams them, played: deltas in their own time.

What a client asks is checked, the order of its messages above all, and kept in
``asked``. It is an :data:`~.http.HttpService`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from attrs import Factory, define, frozen
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from ..interfaces import HttpRequest
from .http import HttpAnswer

__all__ = ["ChatDouble", "ChatPlan", "ChatReply"]

_PATH = "/v1/chat/completions"
_ROLES = ("system", "user", "assistant", "tool")


@frozen(kw_only=True)
class ChatReply:
    """One answer of the model."""

    says: str = ""
    #: The functions that it calls then, with their arguments: an object, or the text
    #: that stands in its place.
    calls: Sequence[tuple[str, Mapping[str, object] | str]] = ()
    #: The HTTP status and the code that it is refused with instead.
    status: int = 200
    code: str = ""
    #: Headers of a refusal, such as ``retry-after``.
    headers: Mapping[str, str] = Factory(dict)
    #: After so many words: the code of an error, or a broken connection.
    fails_after: int | None = None
    breaks_after: int | None = None
    #: Nothing comes.
    hangs: bool = False
    #: Why it ends: by default ``stop`` or ``tool_calls``.
    finish_reason: str = ""
    #: Whether the end is marked.
    says_done: bool = True


@define(kw_only=True)
class ChatPlan:
    """How one double behaves; may be changed at any time."""

    #: The key that lets in.
    key: str = "sk-chat"
    #: The next replies, in order.
    replies: list[ChatReply] = Factory(list)
    #: What is said when there are none; gets what the user said last.
    answer: Callable[[str], ChatReply] = lambda said: ChatReply(
        says=f"You said: {said}. Go on."
    )
    #: From a request to the first word, and from word to word.
    think_seconds: float = 0.1
    word_seconds: float = 0.02


class ChatDouble:
    """The service: see ``plan`` for how it behaves."""

    def __init__(self, clock: IReactorTime, plan: ChatPlan | None = None) -> None:
        self.plan = plan or ChatPlan()
        #: The bodies of all requests, in order.
        self.asked: list[dict[str, Any]] = []
        self.problems: list[str] = []
        #: How many clients went before the end of their answer.
        self.broken_off = 0
        self._clock = clock

    def __call__(self, request: HttpRequest, answer: HttpAnswer) -> Callable[[], None]:
        """Answer a request; what is returned is called when the client goes."""
        story = self._story(request, answer)
        telling = _Telling(self._clock, story)
        telling.go_on()

        def gone() -> None:
            self.broken_off += 1
            telling.stop()

        return gone

    def messages(self) -> list[dict[str, Any]]:
        """:returns: the conversation in the newest request."""
        found: list[dict[str, Any]] = self.asked[-1]["messages"]
        return found

    def _story(self, request: HttpRequest, answer: HttpAnswer) -> Iterator[float]:
        """:returns: how long to wait until the next step."""
        status, code = self._refusal(request)
        if status:
            _refuse(answer, ChatReply(status=status, code=code))
            return
        plan = self.plan
        reply = plan.replies.pop(0) if plan.replies else plan.answer(self._last_words())
        yield plan.think_seconds
        if reply.hangs:
            return
        if reply.status != 200:
            _refuse(answer, reply)
            return
        answer.begin(200, {"content-type": "text/event-stream"})
        answer.write(b": hello\n\n")
        stream = _Stream(answer, self.asked[-1]["model"])
        stream.delta(role="assistant", content="")
        for n, word in enumerate(reply.says.split(" ") if reply.says else ()):
            if n == reply.fails_after:
                stream.event({"error": {"code": reply.code, "message": "It failed."}})
                answer.finish()
                return
            if n == reply.breaks_after:
                answer.break_off()
                return
            stream.delta(content=f" {word}" if n else word)
            yield plan.word_seconds
        for n, (name, arguments) in enumerate(reply.calls):
            stream.call(n, f"call_{len(self.asked)}_{n}", name, arguments)
        usual = "tool_calls" if reply.calls else "stop"
        stream.end(reply.finish_reason or usual, says_done=reply.says_done)
        answer.finish()

    def _refusal(self, request: HttpRequest) -> tuple[int, str]:
        named = {name.lower(): value for name, value in request.headers.items()}
        if urlsplit(request.url).path != _PATH or request.method != "POST":
            return 404, "not_found"
        if named.get("authorization") != f"Bearer {self.plan.key}":
            return 401, "invalid_api_key"
        try:
            body = json.loads(request.body or b"")
        except ValueError:
            body = {}
        self.asked.append(body)
        problem = _problem(body)
        if problem:
            self.problems.append(problem)
            return 400, "invalid_request"
        return 0, ""

    def _last_words(self) -> str:
        said = [m["content"] for m in self.messages() if m["role"] == "user"]
        return str(said[-1]) if said else ""


class _Telling:
    """Steps through a story, in time."""

    def __init__(self, clock: IReactorTime, story: Iterator[float]) -> None:
        self._clock = clock
        self._story = story
        self._timer: IDelayedCall | None = None

    def go_on(self) -> None:
        seconds = next(self._story, None)
        if seconds is not None:
            self._timer = self._clock.callLater(seconds, self.go_on)

    def stop(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()


class _Stream:
    """Chunks of one answer."""

    def __init__(self, answer: HttpAnswer, model: str) -> None:
        self._answer = answer
        self._model = model

    def event(self, data: Mapping[str, object]) -> None:
        self._answer.write(f"data: {json.dumps(data)}\n\n".encode())

    def delta(self, **delta: object) -> None:
        self._chunk([{"index": 0, "delta": delta, "finish_reason": None}])

    def call(
        self, n: int, call_id: str, name: str, arguments: Mapping[str, object] | str
    ) -> None:
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        first = {"name": name, "arguments": ""}
        opening = {"index": n, "id": call_id, "type": "function", "function": first}
        self.delta(tool_calls=[opening])
        for start in range(0, len(text), 8):
            piece = {"arguments": text[start : start + 8]}
            self.delta(tool_calls=[{"index": n, "function": piece}])

    def end(self, reason: str, *, says_done: bool) -> None:
        self._chunk([{"index": 0, "delta": {}, "finish_reason": reason}])
        if says_done:
            self._answer.write(b"data: [DONE]\n\n")

    def _chunk(self, choices: Sequence[object]) -> None:
        self.event(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion.chunk",
                "created": 0,
                "model": self._model,
                "choices": choices,
                "usage": None,
            }
        )


def _refuse(answer: HttpAnswer, reply: ChatReply) -> None:
    error = {"message": "No.", "type": "error", "param": None, "code": reply.code}
    answer.begin(reply.status, {"content-type": "application/json", **reply.headers})
    answer.write(json.dumps({"error": error}).encode())
    answer.finish()


def _problem(body: Mapping[str, Any]) -> str:
    """:returns: the first thing that is wrong with a request, if any."""
    messages = body.get("messages")
    if not isinstance(body.get("model"), str) or body.get("stream") is not True:
        return "it names no model, or does not stream"
    if not isinstance(messages, list) or not messages:
        return "it has no messages"
    wanted: list[str] = []
    for message in messages:
        role, content = message.get("role"), message.get("content")
        calls = message.get("tool_calls", ())
        if role not in _ROLES or not (isinstance(content, str) or calls):
            return f"a message of {role!r} without content"
        if role == "tool":
            if message.get("tool_call_id") not in wanted:
                return "a result that nobody asked for"
            wanted.remove(message["tool_call_id"])
        elif wanted:
            return "a function without its result"
        wanted += [call["id"] for call in calls]
    if wanted:
        return "a function without its result"
    # Some models take no conversation in which they have the last word.
    return "" if messages[-1]["role"] in ("user", "tool") else "nobody asks anything"
