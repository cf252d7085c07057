# -*- test-case-name: tests.agents.cascade.test_llm -*-
"""Thinks: chat completions as OpenAI has them, streamed, from whoever offers them.

A :class:`Completion` reads the stream and does no I/O; a :class:`Chat` performs the
request. Functions are only reported: who asked runs them. Nothing of what was said is
logged.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from attrs import define, field, frozen
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from ...errors import CarrierApiError, ChatFailed, DialectError
from ...interfaces import HttpFetch, HttpRequest, HttpResponse
from ..foreign import UNREADABLE, code_of, text_of
from ..tools import Tool
from .history import FunctionCall
from .sse import EventStream

__all__ = ["Asker", "Chat", "Completion"]

_log = Logger()

#: An answer is some kilobytes; what sends more does not stop.
_MOST_BYTES = 4 << 20
#: Errors that stay as they are, however often one tries.
_HOPELESS = frozenset({"insufficient_quota", "invalid_api_key", "model_not_found"})
#: Statuses below 500 that may pass: a time-out, a conflict, too many requests.
_PASSING = (408, 409, 429)
_LAST = "[DONE]"


@define
class _Fragments:
    """A function call that comes in pieces."""

    id: str = ""
    name: str = ""
    arguments: str = ""


class Completion:
    """One answer as it comes, cut anywhere."""

    def __init__(self) -> None:
        self._stream = EventStream()
        self._calls: dict[object, _Fragments] = {}
        self._reason = ""
        #: Nothing that counts follows.
        self.is_over = False

    def feed(self, piece: bytes) -> Iterator[str]:
        """
        :returns: the words in it, in order.
        :raises ChatFailed: when the answer breaks off with an error.
        :raises DialectError: when it is no answer.
        """
        for data in self._stream.feed(piece):
            if data.strip() == _LAST:
                self.is_over = True
            elif not self.is_over:
                yield from self._read(data)

    def end(self) -> list[FunctionCall]:
        """
        Nothing more comes.

        :returns: the functions that the model calls.
        :raises ChatFailed: when it had not said that it was done.
        """
        if not (self._reason or self.is_over):
            raise ChatFailed("broken off")
        calls: dict[str, FunctionCall] = {}
        for n, made in enumerate(self._calls.values()):
            # Some servers give none, or the same to all.
            call_id = f"call_{n}" if made.id in ("", *calls) else made.id
            calls[call_id] = FunctionCall(
                id=call_id, name=made.name, arguments=made.arguments
            )
        return list(calls.values())

    def _read(self, data: str) -> Iterator[str]:
        try:
            told = json.loads(data)
            if "error" in told:
                raise _failed(told, 0, {})
            for choice in told.get("choices") or ():
                self._reason = choice.get("finish_reason") or self._reason
                delta = choice.get("delta") or {}
                for call in delta.get("tool_calls") or ():
                    self._add(call)
                if delta.get("content"):
                    yield text_of(delta["content"])
        except UNREADABLE:
            raise DialectError("the chat sent what cannot be read") from None

    def _add(self, call: Mapping[str, Any]) -> None:
        # Some leave the index out, and send each call in one piece.
        place = call.get("index", call.get("id"))
        made = self._calls.setdefault(place, _Fragments())
        function = call.get("function") or {}
        made.id = made.id or str(call.get("id") or "")
        made.name = made.name or str(function.get("name") or "")
        made.arguments += str(function.get("arguments") or "")


class Asker(Protocol):
    """Who asked."""

    def words_came(self, text: str) -> None:
        """The model says more."""

    def chat_ended(self, calls: Sequence[FunctionCall]) -> None:
        """The model is done, and wants these functions called."""

    def chat_failed(self, failed: ChatFailed) -> None:
        """No more comes; what came has been told."""


@frozen(kw_only=True)
class Chat:
    """Where the model is, and what it may do."""

    fetch: HttpFetch
    #: What ``/chat/completions`` follows.
    url: str
    key: str = field(repr=False)
    model: str
    tools: Sequence[Tool]

    def ask(
        self,
        messages: Sequence[Mapping[str, Any]],
        asker: Asker,
        contain: Callable[[Callable[[], object]], object],
    ) -> Callable[[], None]:
        """
        Ask for an answer.

        :param contain: calls what it is given, whatever that raises.
        :returns: call it, and no more is told.
        """
        asking = _Asking(asker, contain)
        fetching = self.fetch(self._request(messages), asking.write, _MOST_BYTES)
        fetching.addCallbacks(asking.fetched, asking.failed)
        return partial(asking.cancel, fetching)

    def _request(self, messages: Sequence[Mapping[str, Any]]) -> HttpRequest:
        body: dict[str, object] = {
            "model": self.model,
            "messages": messages,
            "stream": True,
        }
        if self.tools:
            body["tools"] = [_declared(each) for each in self.tools]
        return HttpRequest(
            method="POST",
            url=f"{self.url}/chat/completions",
            body=json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.key}",
                "Content-Type": "application/json",
                "Accept": "text/event-stream",
            },
        )


class _Asking:
    """One request."""

    def __init__(
        self, asker: Asker, contain: Callable[[Callable[[], object]], object]
    ) -> None:
        self._asker: Asker | None = asker
        self._contain = contain
        self._completion = Completion()

    def write(self, piece: bytes) -> Deferred[None]:
        """A piece of the answer came."""
        for text in self._completion.feed(piece):
            if self._asker is not None:
                self._contain(partial(self._asker.words_came, text))
        if self._completion.is_over:
            self._end()
        return succeed(None)

    def fetched(self, response: HttpResponse) -> None:
        """The server has said all."""
        if not 200 <= response.status < 300:
            self._fail(_refused(response))
        else:
            self._end()

    def failed(self, failure: Failure) -> None:
        """The server has not said all."""
        error = failure.value
        if isinstance(error, ChatFailed):
            self._fail(error)
        elif isinstance(error, CarrierApiError | DialectError):
            self._fail(ChatFailed(str(error)))
        elif not isinstance(error, CancelledError):
            _log.failure("while the chat answered", failure)
            self._fail(ChatFailed("failed"))

    def cancel(self, fetching: Deferred[HttpResponse]) -> None:
        """Nobody wants to know any more."""
        self._let_go()
        fetching.cancel()

    def _end(self) -> None:
        try:
            calls = self._completion.end()
        except ChatFailed as failed:
            self._fail(failed)
        else:
            self._finish(lambda asker: asker.chat_ended(calls))

    def _fail(self, failed: ChatFailed) -> None:
        self._finish(lambda asker: asker.chat_failed(failed))

    def _finish(self, tell: Callable[[Asker], None]) -> None:
        asker, contain = self._asker, self._contain
        self._let_go()
        if asker is not None:
            contain(partial(tell, asker))

    def _let_go(self) -> None:
        self._asker = None
        self._contain = lambda step: None


def _refused(response: HttpResponse) -> ChatFailed:
    try:
        told = json.loads(response.body)
    except UNREADABLE:
        told = {}
    headers = {name.lower(): value for name, value in response.headers.items()}
    return _failed(told, response.status, headers)


def _failed(told: object, status: int, headers: Mapping[str, str]) -> ChatFailed:
    error = told.get("error") if isinstance(told, dict) else None
    code = code_of(error.get("code")) if isinstance(error, dict) else ""
    is_ours = 400 <= status < 500 and status not in _PASSING
    return ChatFailed(
        f"HTTP {status} {code}".strip() if status else f"error {code}".strip(),
        hopeless=is_ours or code in _HOPELESS,
        wait_seconds=_seconds(headers.get("retry-after-ms"), 1000)
        or _seconds(headers.get("retry-after"), 1),
    )


def _seconds(text: str | None, parts: int) -> float:
    """:returns: how long to wait; 0 where it does not say so in a number."""
    digits = (text or "").partition(".")[0]
    return float(digits) / parts if digits.isdecimal() else 0.0


def _declared(made: Tool) -> dict[str, object]:
    function = {
        "name": made.name,
        "description": made.description,
        "parameters": made.parameters,
    }
    return {"type": "function", "function": function}
