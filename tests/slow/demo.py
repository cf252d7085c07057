"""The demo as a person runs it: real processes, one real call, in real time."""

from __future__ import annotations

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import SkipTest, TestCase

import twistedvoice
from twistedvoice.audio.wav import read_wav
from twistedvoice.simulator.align import MAX_SHIFT_MS, match
from twistedvoice.simulator.files import CONTENTS

reactor: Any = global_reactor


class Demo(ProcessProtocol):
    """``twistedvoice demo`` in a process of its own, in an empty directory."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        self.temporary = folder / "temporary"
        self.temporary.mkdir(parents=True)
        self.output = ""
        self.speaking: Deferred[None] = Deferred()
        self.ended: Deferred[int | None] = Deferred()
        environ = {
            **os.environ,
            "PYTHONPATH": str(Path(twistedvoice.__file__).parents[1]),
            "TMPDIR": str(self.temporary),
        }
        command = [sys.executable, "-P", "-m", "twistedvoice", "demo", *words]
        reactor.spawnProcess(self, command[0], command, env=environ, path=str(folder))

    def outReceived(self, data: bytes) -> None:
        self.output += data.decode()
        if self.output and not self.speaking.called:
            self.speaking.callback(None)

    errReceived = outReceived

    def processEnded(self, reason: Failure) -> None:
        status: Any = reason.value
        if not self.speaking.called:
            self.speaking.callback(None)
        self.ended.callback(status.exitCode)

    def interrupt(self) -> None:
        """Press Ctrl-C, unless the demo is over."""
        if not self.ended.called:
            assert self.transport is not None
            self.transport.signalProcess("INT")


class DemoTests(TestCase):
    """A whole demo. 3 is as good as 0 here: it only says that this machine was late."""

    timeout = 100

    def start(self, *words: str) -> Demo:
        """:returns: a demo that begins now."""
        demo = Demo(Path(self.mktemp()).absolute(), *words)
        self.addCleanup(demo.interrupt)
        return demo

    async def test_whole(self) -> None:
        """The demo is right, and leaves all its files and nothing else."""
        demo = self.start()
        code = await demo.ended
        self.assertIn(code, (0, 3), demo.output)
        out = demo.folder / "twistedvoice-demo"
        self.assertEqual({path.name for path in out.iterdir()}, set(CONTENTS))
        self.assertEqual(list(demo.temporary.iterdir()), [])
        self.assertNotIn("\x1b", demo.output)
        figures = json.loads((out / "report.json").read_text("utf-8"))
        self.assertEqual(figures["outcome"], "completed")
        self.assertGreaterEqual(figures["clears"], 3)
        self.assert_only_right_tracks_match(out)

    async def test_local(self) -> None:
        """A caller is understood at each turn, interrupts, and coughs for nothing."""
        if find_spec("pocketsphinx") is None or find_spec("hibari") is None:
            raise SkipTest("engines: pip install 'twistedvoice[local]'")
        demo = self.start("--agent", "local")
        self.assertIn(await demo.ended, (0, 3), demo.output)
        self.assertIn("ten o'clock", demo.output)

    def assert_only_right_tracks_match(self, out: Path) -> None:
        """The service's track is what was heard; no other track passes for it."""
        heard = read_wav(out / "heard.wav").samples[:, 0]
        caller, service = read_wav(out / "recording.wav").samples.T
        away = np.zeros((MAX_SHIFT_MS + 200) * 8, np.int16)
        self.assertTrue(match(service, heard).right)
        for wrong in (
            caller,
            np.concatenate((away, service)),
            service[len(away) :],
            np.zeros_like(service),
        ):
            self.assertFalse(match(wrong, heard).right)

    async def test_interrupted(self) -> None:
        """Ctrl-C ends the demo and its service, and leaves nothing temporary."""
        demo = self.start()
        await demo.speaking
        demo.interrupt()
        self.assertNotIn(await demo.ended, (0, 1, 3), demo.output)
        self.assertEqual(list(demo.temporary.iterdir()), [])
