# -*- test-case-name: tests.integration.test_engines -*-
"""Real engines in processes of their own."""

from __future__ import annotations

import os
import signal
from importlib.util import find_spec

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from twistedvoice.errors import EngineError
from twistedvoice.formats import MULAW_8K
from twistedvoice.speech.engines import Engines

_JSGF = "#JSGF V1.0;\ngrammar main;\npublic <all> = hello [world];\n"


class EnginesTests(TestCase):
    """Speaking, hearing it, and dying."""

    timeout = 30
    if find_spec("pocketsphinx") is None or find_spec("hibari") is None:
        skip = "engines are not installed: pip install 'twistedvoice[local]'"

    async def test_a_life(self) -> None:
        """What one engine says another understands; one that is killed comes back."""
        engines = Engines(reactor, {"main": _JSGF}, ears=1)
        await engines.start()
        self.addCleanup(engines.stop)
        pieces: list[bytes] = []
        await engines.speak("Hello world.", MULAW_8K, pieces.append)
        silence = MULAW_8K.silence(3200)
        hearing = engines.hear("main", MULAW_8K)
        hearing.write(silence + b"".join(pieces) + silence)
        self.assertEqual(await hearing.words(), "hello world")
        pid = engines._ears._engines[0].transport.pid
        os.kill(pid, signal.SIGKILL)
        with self.assertRaises(EngineError):
            await hearing.words()
        await self._until_heard(engines)

    async def _until_heard(self, engines: Engines) -> None:
        while True:
            try:
                engines.hear("main", MULAW_8K).close()
            except EngineError:
                waiting: Deferred[None] = deferLater(reactor, 0.05, lambda: None)
                await waiting
            else:
                return
