"""Tests of exporting, with processes that do not run and with one that does."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.error import ProcessTerminated
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from tests.outbox.performer_contract import PerformerContract
from tests.processes import Process, ProcessReactor
from tests.sources import ROOT
from twistedvoice.audio.wavwriter import WavWriter
from twistedvoice.errors import ErrandFailed, ErrandRefused
from twistedvoice.formats import MULAW_8K
from twistedvoice.interfaces import Errand
from twistedvoice.outbox.export import Export


def errand(path: Path) -> Errand:
    """:returns: what is to be done with this recording."""
    return Errand(
        id="n-1/export",
        kind="export",
        session_id="n-1",
        details={"path": str(path), "key": "2026/01/02/n-1.wav"},
    )


class ExportTests(SynchronousTestCase):
    """The process that is started, and how it may end."""

    def setUp(self) -> None:
        self.reactor = ProcessReactor()
        self.source = Path(self.mktemp()) / "n-1.wav"
        self.source.parent.mkdir()
        self.source.touch()
        self.target = self.source.with_suffix(".opus")
        self.done = Export(self.reactor, "opus", {"LANG": "C"}, maybeDeferred).perform(
            errand(self.source)
        )

    @property
    def process(self) -> Process:
        """The one process."""
        (process,) = self.reactor.processes
        return process

    def end(
        self, said: str, status: int | None, signal: int | None = None
    ) -> Exception:
        """:returns: what becomes of the errand when its process ends so."""
        for byte in said.encode():
            self.process.protocol.childDataReceived(2, bytes([byte]))
        reason = Failure(ProcessTerminated(status, signal))
        self.process.protocol.processEnded(reason)
        error = self.failureResultOf(self.done).value
        assert isinstance(error, Exception)
        return error

    def test_started(self) -> None:
        """Source and target are named; the environment is the one that was given."""
        started = self.process.started
        self.assertEqual(started["executable"], sys.executable)
        self.assertEqual(started["args"][-2:], [str(self.source), str(self.target)])
        self.assertEqual(started["env"], {"LANG": "C"})
        self.assertNoResult(self.done)

    def test_done(self) -> None:
        """It comes back with the file, once the process has ended well."""
        self.target.write_bytes(b"12345")
        self.process.ends()
        self.assertEqual(
            self.successResultOf(self.done),
            {"path": str(self.target), "format": "opus", "bytes": 5},
        )

    def test_failed(self) -> None:
        """The last line it said is the reason; next time it may go better."""
        error = self.end("Traceback ...\nOSError: no room\n", 1)
        self.assertIsInstance(error, ErrandFailed)
        self.assertEqual(str(error), "the export ended with status 1: OSError: no room")

    def test_much_said(self) -> None:
        """Of much that it said the end is kept."""
        said = str(self.end("x" * 100_000 + "the end", 1))
        self.assertTrue(said.endswith("xthe end"))
        self.assertLess(len(said), 3000)

    def test_refused(self) -> None:
        """A recording that cannot be read is not tried again."""
        error = self.end("n-1.wav: Format not recognised.\n", os.EX_DATAERR)
        self.assertIsInstance(error, ErrandRefused)
        self.assertEqual(str(error), "n-1.wav: Format not recognised.")

    def test_killed(self) -> None:
        """A process that somebody kills is started again another time."""
        error = self.end("", None, 9)
        self.assertIsInstance(error, ErrandFailed)
        self.assertEqual(str(error), "the export ended with signal 9: ")

    def test_hangs(self) -> None:
        """A process that takes half an hour is killed."""
        self.reactor.advance(1799)
        self.assertEqual(self.process.signals, [])
        self.reactor.advance(2)
        self.assertEqual(self.process.signals, ["KILL"])
        self.failureResultOf(self.done, ErrandFailed)
        self.process.ends(9)

    def test_cancelled(self) -> None:
        """Cancelling kills the process; what comes of it then is nobody's business."""
        self.done.cancel()
        self.failureResultOf(self.done, CancelledError)
        self.assertEqual(self.process.signals, ["KILL"])
        self.process.ends(9)

    def test_cancelled_late(self) -> None:
        """One that has ended, but was not heard of yet, is not killed."""
        self.process.is_running = False
        self.done.cancel()
        self.failureResultOf(self.done, CancelledError)
        self.assertEqual(self.process.signals, [])


class ContractTests(PerformerContract, SynchronousTestCase):
    """What it shares with all that perform."""

    def setUp(self) -> None:
        self.reactor = ProcessReactor()
        self.path = Path(self.mktemp()) / "n-1.wav"
        self.path.parent.mkdir()
        self.path.touch()

    def begin(self) -> Deferred[Mapping[str, object]]:
        """Export it."""
        export = Export(self.reactor, "flac", {}, maybeDeferred)
        return export.perform(errand(self.path))

    def go_on(self) -> None:
        """The process has done it."""
        self.path.with_suffix(".flac").write_bytes(b"fLaC")
        self.reactor.processes[-1].ends()


class ProcessTests(TestCase):
    """A real process."""

    async def test_export(self) -> None:
        """A recording becomes a FLAC file beside it."""
        source = Path(self.mktemp()).absolute() / "n-1.wav"
        source.parent.mkdir()
        writer = WavWriter(source, MULAW_8K, 2)
        writer.write(b"\x10\x90" * 8000)
        writer.close()
        export = Export(reactor, "flac", {"PYTHONPATH": str(ROOT)}, maybeDeferred)
        found = await export.perform(errand(source))
        target = source.with_suffix(".flac")
        self.assertEqual(
            found,
            {"path": str(target), "format": "flac", "bytes": target.stat().st_size},
        )
        self.assertEqual(target.read_bytes()[:4], b"fLaC")
