"""Tests for :mod:`twistedvoice.simulator.call`."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.simulator.calls import HEARD, SAID, finished_call
from twistedvoice.audio import pcm
from twistedvoice.audio.wavwriter import WavWriter
from twistedvoice.errors import SimulationError
from twistedvoice.formats import MULAW_8K
from twistedvoice.simulator.call import INTERRUPTED, carried_out, conclude


class Stoppable:
    """A reactor of which only the end matters."""

    def __init__(self) -> None:
        self.triggers: list[Callable[[], Deferred[None]]] = []

    def addSystemEventTrigger(
        self, phase: str, event: str, call: Callable[[], Any]
    ) -> Callable[[], Any]:
        """Remember what to do before the end."""
        assert (phase, event) == ("before", "shutdown")
        self.triggers.append(call)
        return call

    def removeSystemEventTrigger(self, trigger: Callable[[], Any]) -> None:
        """Forget it again."""
        self.triggers.remove(trigger)


class CarriedOutTests(SynchronousTestCase):
    """A command on a terminal."""

    def setUp(self) -> None:
        """A command that waits, then cleans up, which takes a while too."""
        self.reactor = Stoppable()
        self.output = StringIO()
        self.work: Deferred[int] = Deferred()
        self.cleaning: Deferred[None] = Deferred()
        console = Console(file=self.output, width=100)
        self.done = carried_out(self.reactor, console, self.command())

    async def command(self) -> int:
        """:returns: what the work gives."""
        try:
            return await self.work
        finally:
            await self.cleaning

    def test_done(self) -> None:
        """The exit code is what the command returns; the reactor is let go."""
        self.work.callback(3)
        self.cleaning.callback(None)
        self.assertEqual(self.successResultOf(self.done), 3)
        self.assertEqual(self.reactor.triggers, [])

    def test_error_is_a_sentence(self) -> None:
        """What a person can do something about is printed, without a traceback."""
        self.work.errback(SimulationError("nobody listens there"))
        self.cleaning.callback(None)
        self.assertEqual(self.successResultOf(self.done), 1)
        self.assertEqual(self.output.getvalue(), "✘ nobody listens there\n")

    def test_mistake_is_not(self) -> None:
        """A mistake of ours is not hidden."""
        self.work.errback(ZeroDivisionError())
        self.cleaning.callback(None)
        self.failureResultOf(self.done, ZeroDivisionError)
        self.assertEqual(self.reactor.triggers, [])

    def test_interrupted(self) -> None:
        """The reactor does not stop before the command has cleaned up."""
        (stop,) = self.reactor.triggers
        stopped = stop()
        self.assertNoResult(stopped)
        self.cleaning.callback(None)
        self.successResultOf(stopped)
        self.assertEqual(self.successResultOf(self.done), INTERRUPTED)


class ConcludeTests(SynchronousTestCase):
    """What is made of a finished call."""

    def setUp(self) -> None:
        """A folder and a console."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.output = StringIO()
        self.console = Console(file=self.output, width=100)

    def recording(self, *tracks: Any) -> Path:
        """:returns: a recording with these tracks."""
        path = self.folder / "recording.wav"
        writer = WavWriter(path, MULAW_8K, len(tracks))
        writer.write(pcm.encode(np.stack(tracks, axis=1).reshape(-1), MULAW_8K))
        writer.close()
        return path

    def test_right(self) -> None:
        """A good call leaves its files and exits with 0."""
        code = conclude(self.console, self.folder, finished_call())
        self.assertEqual(code, 0)
        self.assertTrue((self.folder / "timeline.png").exists())
        self.assertIn("the call as a picture", self.output.getvalue())

    def test_late(self) -> None:
        """Holes in what was heard make it 3."""
        journal = finished_call()
        journal.underruns.append((1000.0, 20.0))
        self.assertEqual(conclude(self.console, self.folder, journal), 3)

    def test_known_problem(self) -> None:
        """What is known to be wrong beside the call makes it 1."""
        code = conclude(
            self.console, self.folder, finished_call(), problems=["no drain"]
        )
        self.assertEqual(code, 1)
        self.assertIn("no drain", self.output.getvalue())

    def test_recording(self) -> None:
        """A recording is compared with the call, and swapped tracks make it 1."""
        for tracks, expected in (((SAID, HEARD), 0), ((HEARD, SAID), 1)):
            kept = [self.recording(*tracks)]
            code = conclude(self.console, self.folder, finished_call(), kept=kept)
            self.assertEqual(code, expected)
        self.assertIn("what the service recorded", self.output.getvalue())

    def test_no_recording_at_all(self) -> None:
        """A recording that cannot be judged is a problem with a sentence."""
        kept = [self.recording(SAID)]
        code = conclude(self.console, self.folder, finished_call(), kept=kept)
        self.assertEqual(code, 1)
        self.assertIn("1 channels, not 2", self.output.getvalue())
