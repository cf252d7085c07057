"""A real service whose agent talks with the double of OpenAI over a real socket."""

from __future__ import annotations

import os
import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from tests.agents.openai.talk import sound_of
from tests.integration.process import SPEECH, ServiceTestCase, reactor
from tests.web.dial_contract import Ear
from twistedvoice.doubles.openai.plan import Plan
from twistedvoice.doubles.openai.service import OpenAiDouble
from twistedvoice.doubles.plan import Reply
from twistedvoice.doubles.server import ServiceFactory
from twistedvoice.simulator.script import HangUp, Wait, say_file
from twistedvoice.simulator.service import child_environ
from twistedvoice.sockets import SocketRequest
from twistedvoice.web.dial import AutobahnDialer

__all__ = ["CallTests", "CommandTests"]

HELLO, ANSWER = "hello there", "glad to hear it"
KEY = "sk-integration-0123456789"


class CallTests(ServiceTestCase):
    """A caller, a carrier, the service and the model."""

    def listen(self, *replies: Reply) -> tuple[OpenAiDouble, list[str]]:
        """:returns: a double on a port, and the options that lead to it."""
        double = OpenAiDouble(reactor, Plan(key=KEY, replies=list(replies)))
        factory = ServiceFactory(reactor, double)
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        url = f"ws://127.0.0.1:{port.getHost().port}/v1/realtime"
        return double, ["--agent=openai", f"--openai-url={url}"]

    async def test_call(self) -> None:
        """The model greets, hears the caller, and answers; its key is nowhere."""
        double, options = self.listen(Reply(says=HELLO), Reply(says=ANSWER))
        steps = (Wait(900), say_file(SPEECH), Wait(2500), HangUp())
        key = {"TWISTEDVOICE_OPENAI__API_KEY": KEY}
        async with self.service(*options, environ=key) as service:
            journal = await service.call(service.plan(steps=steps))
            await service.cdr(journal.call_id)
            await service.stop()
        self.assertEqual(journal.outcome, "completed")
        [session] = double.sessions
        self.assertEqual((session.problems, session.ended), ([], 1000))
        heard = bytes(journal.heard)
        at = [heard.find(sound_of(text)[:800]) for text in (HELLO, ANSWER)]
        self.assertGreater(at[1], at[0])
        # The phone rang while the model made its greeting.
        self.assertGreaterEqual(at[0], 0)
        spoken = bytes(journal.said)
        self.assertIn(spoken[16_000:17_600], bytes(session.heard))
        self.assertNotIn(KEY, service.log)


class _Command(ProcessProtocol):
    """A double in a process of its own."""

    def __init__(self) -> None:
        self.url: Deferred[str] = Deferred()
        self.ended: Deferred[None] = Deferred()

    def outReceived(self, data: bytes) -> None:
        if not self.url.called:
            self.url.callback(data.decode().split()[-1])

    def processEnded(self, reason: Failure) -> None:
        if not self.url.called:
            self.url.errback(reason)
        self.ended.callback(None)


class CommandTests(TestCase):
    """``python -m twistedvoice.doubles.openai``."""

    async def test_command(self) -> None:
        """It says where it is, and lets in who has the key."""
        command, environ = _Command(), child_environ(os.environ, "")
        words = [sys.executable, "-m", "twistedvoice.doubles.openai", "--key=sk-mine"]
        words.append("--listen=tcp:0:interface=127.0.0.1")
        process: Any = reactor.spawnProcess(command, words[0], words, env=environ)
        url = await command.url
        ear = Ear()
        request = SocketRequest(
            url=f"{url}?model=m", headers={"Authorization": "Bearer sk-mine"}
        )
        socket = await AutobahnDialer(reactor)(request, ear)
        socket.close()
        process.signalProcess("TERM")
        await command.ended
