"""Tests for :mod:`twistedvoice.worker`."""

from __future__ import annotations

import os

from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.testing import MemoryReactor
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from twistedvoice.worker import Leash, Reports

__all__ = ["LeashTests", "ReportsTests"]


class PipeTestCase(SynchronousTestCase):
    """A pipe."""

    def setUp(self) -> None:
        """Both ends are open."""
        self.open = set(os.pipe())
        self.near, self.far = sorted(self.open)
        self.addCleanup(self.close_all)

    def close_all(self) -> None:
        """Close what is open."""
        for end in set(self.open):
            self.close(end)

    def close(self, end: int) -> None:
        """Close one end."""
        self.open.remove(end)
        os.close(end)


class LeashTests(PipeTestCase):
    """How a worker learns that its parent died."""

    def test_torn(self) -> None:
        """Nothing but the end of the pipe is the end of the parent."""
        torn: list[None] = []
        reactor = MemoryReactor()
        leash = Leash(reactor, self.near, lambda: torn.append(None))
        leash.start()
        self.assertIn(leash, reactor.getReaders())
        verifyObject(IReadDescriptor, leash)
        os.write(self.far, b"x")
        self.assertIsNone(leash.doRead())
        self.close(self.far)
        why = leash.doRead()
        assert isinstance(why, Failure)
        self.assertEqual(torn, [])
        leash.connectionLost(why)
        self.assertEqual(torn, [None])


class ReportsTests(PipeTestCase):
    """What a worker says of itself."""

    def test_lines(self) -> None:
        """It says what systemd would hear, in lines."""
        reports = Reports(self.far)
        reports.ready()
        reports.alive()
        reports.stopping()
        self.assertEqual(os.read(self.near, 100), b"READY=1\nWATCHDOG=1\nSTOPPING=1\n")
        self.assertEqual(reports.failed, 0)

    def test_nobody_reads(self) -> None:
        """A parent that is gone, or hangs, holds no worker up."""
        reports = Reports(self.far)
        while not reports.failed:
            reports.alive()
        self.close(self.near)
        reports.alive()
        self.assertEqual(reports.failed, 2)
