"""Tests for :mod:`twistedvoice.bench.child`; the processes are in tests/integration."""

from __future__ import annotations

import io
import sys
import time

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.child import disturbances, serve_baseline


class ChildTests(SynchronousTestCase):
    """What is not the plain service."""

    def test_baseline(self) -> None:
        """It listens on the loopback interface, in monotonic time, and says where."""
        said = io.StringIO()
        self.patch(sys, "stderr", said)
        reactor = MemoryReactorClock()
        factory = serve_baseline(reactor)
        ((port, listening, backlog, interface),) = reactor.tcpServers
        self.assertEqual((port, listening, interface), (0, factory, "127.0.0.1"))
        self.assertGreater(backlog, 100)
        self.assertRegex(said.getvalue(), r"^taking calls on \S+:\d+\n$")
        self.assertIs(vars(reactor)["seconds"], time.monotonic)

    def test_disturbances(self) -> None:
        """Nothing disturbs a service unless it is said."""
        plain = disturbances([])
        self.assertFalse(plain.meter or plain.busy_thread or plain.stall_ms)
        said = disturbances(["--meter", "--stall-ms=80", "--every-ms=500"])
        self.assertEqual((said.meter, said.stall_ms, said.every_ms), (True, 80, 500))
