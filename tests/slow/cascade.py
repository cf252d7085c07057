# -*- test-case-name: tests.slow.cascade -*-
"""A real service whose agent talks with three doubles over real sockets and HTTP."""

from __future__ import annotations

import os
import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from tests.agents.cascade.talk import sound_of
from tests.integration.process import SPEECH, ServiceTestCase, reactor
from tests.web.dial_contract import Ear
from twistedvoice.doubles.cascade import CascadeDouble, urls
from twistedvoice.doubles.chat import ChatReply
from twistedvoice.simulator.script import HangUp, Wait, say_file
from twistedvoice.simulator.service import child_environ
from twistedvoice.sockets import SocketRequest
from twistedvoice.web.dial import AutobahnDialer

__all__ = ["CallTests", "CommandTests"]

KEYS = {
    "TWISTEDVOICE_DEEPGRAM__API_KEY": "dg-double",
    "TWISTEDVOICE_LLM__API_KEY": "sk-chat",
    "TWISTEDVOICE_CARTESIA__API_KEY": "sk-cartesia",
}


class CallTests(ServiceTestCase):
    """A caller, a carrier, the service, and what it is made of."""

    def listen(self, *replies: ChatReply) -> tuple[CascadeDouble, list[str]]:
        """:returns: the doubles on a port, and the options that lead to them."""
        doubles = CascadeDouble(reactor)
        doubles.chat.plan.replies += replies
        port = reactor.listenTCP(0, doubles.site(reactor), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        found = urls(port.getHost().port).items()
        options = [f"--{key.replace('.', '-')}={url}" for key, url in found]
        return doubles, ["--agent=cascade", *options]

    async def test_call(self) -> None:
        """The model greets, hears the caller, and answers; no key is anywhere."""
        hello, answer = ChatReply(says="Hello."), ChatReply(says="Well. Goodbye.")
        doubles, options = self.listen(hello, answer)
        doubles.deepgram.plan.says.append("what is new")
        steps = (Wait(900), say_file(SPEECH), Wait(2500), HangUp())
        async with self.service(*options, environ=KEYS) as service:
            journal = await service.call(service.plan(steps=steps))
            await service.cdr(journal.call_id)
            await service.stop()
        self.assertEqual(journal.outcome, "completed")
        self.assertEqual(doubles.cartesia.texts(), ["Hello.", "Well.", "Goodbye."])
        heard = bytes(journal.heard)
        at = [heard.find(sound_of(text)[:800]) for text in doubles.cartesia.texts()]
        self.assertEqual(at, sorted(at))
        self.assertGreaterEqual(at[0], 0)
        said = [message["content"] for message in doubles.chat.messages()[1:]]
        self.assertEqual(said, ["Hello.", "what is new"])
        self.assertEqual(doubles.chat.problems, [])
        sessions: list[Any] = [*doubles.deepgram.sessions, *doubles.cartesia.sessions]
        for session in sessions:
            self.assertEqual((session.problems, session.ended), ([], 1000))
        for key in KEYS.values():
            self.assertNotIn(key, service.log)


class _Command(ProcessProtocol):
    """The doubles in a process of their own."""

    def __init__(self) -> None:
        self.lines: Deferred[list[str]] = Deferred()
        self.ended: Deferred[None] = Deferred()
        self._text = ""

    def outReceived(self, data: bytes) -> None:
        self._text += data.decode()
        lines = self._text.splitlines()
        if len(lines) == 3 and self._text.endswith("\n") and not self.lines.called:
            self.lines.callback(lines)

    def processEnded(self, reason: Failure) -> None:
        if not self.lines.called:
            self.lines.errback(reason)
        self.ended.callback(None)


class CommandTests(TestCase):
    """``python -m twistedvoice.doubles.cascade``."""

    async def test_command(self) -> None:
        """It says where each service is, and lets in who has its key."""
        command, environ = _Command(), child_environ(os.environ, "")
        words = [sys.executable, "-m", "twistedvoice.doubles.cascade"]
        words.append("--listen=tcp:0:interface=127.0.0.1")
        process: Any = reactor.spawnProcess(command, words[0], words, env=environ)
        lines = [line.split() for line in await command.lines]
        names = [words[0] for words in lines]
        self.assertEqual(names, ["deepgram.url", "llm.url", "cartesia.url"])
        headers = {"X-API-Key": lines[2][-1], "Cartesia-Version": "2026-03-01"}
        request = SocketRequest(url=lines[2][2], headers=headers)
        socket = await AutobahnDialer(reactor)(request, Ear())
        socket.close()
        process.signalProcess("TERM")
        await command.ended
