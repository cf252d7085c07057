# -*- test-case-name: tests.bench.test_double -*-
"""The services of a model, played for the load test, in a process of their own.

They speak without end and do not listen. A line of JSON says where they are and which
keys let in, by the names of the settings. What many calls at once would spend on
Autobahn's engine goes the short ways of :mod:`..web`. :mod:`.child` runs it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from ..doubles.cascade import CascadeDouble, urls
from ..doubles.chat import ChatReply
from ..doubles.gemini.plan import Plan as GeminiPlan
from ..doubles.gemini.service import PATH as GEMINI_PATH
from ..doubles.gemini.service import GeminiDouble
from ..doubles.network import Service
from ..doubles.openai.plan import Plan as OpenAiPlan
from ..doubles.openai.service import PATH as OPENAI_PATH
from ..doubles.openai.service import OpenAiDouble
from ..doubles.plan import Reply, VoicePlan
from ..doubles.server import Peer, ServiceFactory
from ..doubles.voice import WORD_MS
from ..events import Message
from ..web.framing import frame_message
from ..web.receive import FastReceive
from ..web.send import sender

__all__ = ["DOUBLES", "Played", "play"]

_BACKLOG = 512
#: Longer than any run.
_TALK_MS = 300_000
#: A little ahead of the ear, so that a late piece leaves no hole.
_HURRY = 0.9
_SENTENCE = "One two three four five six seven eight nine ten. "


@frozen(kw_only=True)
class Played:
    """What is played for one agent: the factory of its port, and its settings."""

    factory: Any
    #: From a port to the settings of the agent's accounts.
    accounts: Callable[[int], Mapping[str, str]]


class _QuickPeer(FastReceive, Peer):  # type: ignore[misc]  # of Autobahn's own classes
    """The same, for many usual messages."""

    _write: Callable[[bytes], None]

    def onOpen(self) -> None:
        self._write = sender(self.transport)
        super().onOpen()

    def send(self, message: Message) -> None:
        if self.state == self.STATE_OPEN:
            self._write(frame_message(message))
        else:
            super().send(message)


def play(reactor: Any, agent: str) -> None:
    """Listen with the services of one agent, and say where."""
    played = DOUBLES[agent](reactor)
    port = reactor.listenTCP(0, played.factory, _BACKLOG, interface="127.0.0.1")
    accounts = played.accounts(port.getHost().port)
    sys.stdout.write(json.dumps(accounts) + "\n")
    sys.stdout.flush()


def _openai(reactor: Any) -> Played:
    plan = OpenAiPlan()
    double = OpenAiDouble(reactor, plan)
    return _voice("openai", reactor, double, plan, OPENAI_PATH)


def _gemini(reactor: Any) -> Played:
    plan = GeminiPlan()
    double = GeminiDouble(reactor, plan)
    return _voice("gemini", reactor, double, plan, GEMINI_PATH)


def _voice(
    name: str, reactor: Any, service: Service, plan: VoicePlan, path: str
) -> Played:
    tale = Reply(says=" ".join(["word"] * (_TALK_MS // WORD_MS)))
    plan.answer = lambda heard_ms: tale
    plan.piece_every_seconds = plan.piece_ms / 1000 * _HURRY
    plan.hears = False
    factory = ServiceFactory(reactor, service)
    factory.protocol = _QuickPeer

    def accounts(port: int) -> Mapping[str, str]:
        url = f"ws://127.0.0.1:{port}{path}"
        return {f"{name}.url": url, f"{name}.api_key": plan.key}

    return Played(factory=factory, accounts=accounts)


def _cascade(reactor: Any) -> Played:
    double = CascadeDouble(reactor)
    words = _SENTENCE.count(" ")
    tale = ChatReply(says=_SENTENCE * (_TALK_MS // (words * WORD_MS)))
    double.chat.plan.answer = lambda said: tale
    double.deepgram.plan.hears = False
    keys = {
        "deepgram.api_key": double.deepgram.plan.key,
        "llm.api_key": double.chat.plan.key,
        "cartesia.api_key": double.cartesia.plan.key,
    }
    return Played(
        factory=double.site(reactor), accounts=lambda port: {**urls(port), **keys}
    )


#: By the name of the agent.
DOUBLES: dict[str, Callable[[Any], Played]] = {
    "openai": _openai,
    "gemini": _gemini,
    "cascade": _cascade,
}
