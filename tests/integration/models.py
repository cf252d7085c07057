"""What a real service does with the double of a model, over real sockets."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, ClassVar

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from tests.integration.process import SPEECH, ServiceTestCase, reactor
from tests.web.dial_contract import Ear
from twistedvoice.doubles.network import Service
from twistedvoice.doubles.server import ServiceFactory
from twistedvoice.simulator.script import HangUp, Wait, say_file
from twistedvoice.simulator.service import child_environ
from twistedvoice.sockets import SocketRequest
from twistedvoice.web.dial import AutobahnDialer

__all__ = ["ANSWER", "HELLO", "KEY", "DoubleCommandCase", "ModelCallCase"]

HELLO, ANSWER = "hello there", "glad to hear it"
KEY = "sk-integration-0123456789"


class ModelCallCase(ServiceTestCase):
    """A caller, a carrier, the service and the model."""

    async def called(self, agent: str, double: Service, path: str) -> Any:
        """:returns: the journal of a call that is greeted, speaks, and is answered."""
        factory = ServiceFactory(reactor, double)
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        url = f"ws://127.0.0.1:{port.getHost().port}{path}"
        steps = (Wait(900), say_file(SPEECH), Wait(2500), HangUp())
        key = {f"TWISTEDVOICE_{agent.upper()}__API_KEY": KEY}
        options = (f"--agent={agent}", f"--{agent}-url={url}")
        async with self.service(*options, environ=key) as service:
            journal = await service.call(service.plan(steps=steps))
            await service.cdr(journal.call_id)
            await service.stop()
        self.assertEqual(journal.outcome, "completed")
        self.assertNotIn(KEY, service.log)
        return journal

    def assert_conversation(
        self, journal: Any, double: Any, sound_of: Callable[[str], bytes]
    ) -> None:
        """The caller heard greeting and answer, in one session that was right."""
        [session] = double.sessions
        self.assertEqual((session.problems, session.ended), ([], 1000))
        heard = bytes(journal.heard)
        at = [heard.find(sound_of(text)[:800]) for text in (HELLO, ANSWER)]
        self.assertGreater(at[1], at[0])
        # The phone rang while the model made its greeting.
        self.assertGreaterEqual(at[0], 0)


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


class DoubleCommandCase(TestCase):
    """A double as a command; derive from it for each."""

    module: ClassVar[str]

    async def let_in(self, query: str, **headers: str) -> None:
        """It says where it is, and lets in who has the key ``sk-mine``."""
        command, environ = _Command(), child_environ(os.environ, "")
        words = [sys.executable, "-m", self.module, "--key=sk-mine"]
        words.append("--listen=tcp:0:interface=127.0.0.1")
        process: Any = reactor.spawnProcess(command, words[0], words, env=environ)
        url = await command.url
        request = SocketRequest(url=url + query, headers=headers)
        socket = await AutobahnDialer(reactor)(request, Ear())
        socket.close()
        process.signalProcess("TERM")
        await command.ended
