"""The reactor's pass over what is ready."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from typing import Any
from unittest import skipUnless

from twisted.internet.error import ConnectionDone
from twisted.internet.main import CONNECTION_DONE
from twisted.internet.testing import MemoryReactorClock
from twisted.python import context
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.polling import poll_plainly


class End:
    """One end of a pair of sockets, as a reactor serves it."""

    def __init__(self, reactor: Any, other: Callable[[End], object]) -> None:
        """:param other: called with this one whenever bytes came."""
        near, self.far = socket.socketpair()
        near.setblocking(False)
        self.near = near
        self.reactor = reactor
        self.read = other
        self.got: list[bytes] = []
        self.lost: list[Failure] = []
        self.wrote = 0
        reactor.addReader(self)

    def fileno(self) -> int:
        """:returns: its descriptor."""
        return self.near.fileno()

    def logPrefix(self) -> str:
        """:returns: its name in the old log."""
        return "end"

    def doRead(self) -> object:
        """Bytes came, or the end."""
        data = self.near.recv(100)
        self.got.append(data)
        self.read(self)
        return None if data else CONNECTION_DONE

    def doWrite(self) -> None:
        """There is room for more."""
        self.wrote += 1
        self.reactor.removeWriter(self)

    def connectionLost(self, reason: Failure) -> None:
        """The reactor let go of it."""
        self.lost.append(reason)


@skipUnless(hasattr(select, "epoll"), "this system has no epoll")
class PlainPollTests(SynchronousTestCase):
    """A reactor of its own, a pass at a time."""

    def setUp(self) -> None:
        from twisted.internet.epollreactor import EPollReactor

        self.reactor: Any = EPollReactor()
        self.addCleanup(self.reactor._poller.close)
        for reader in self.reactor.removeAll():
            reader.connectionLost(Failure(ConnectionDone()))
        poll_plainly(self.reactor)
        self.assertIn("doIteration", vars(self.reactor))

    def end(self, read: Callable[[End], object] = lambda end: None) -> End:
        """:returns: one that the reactor waits for."""
        end = End(self.reactor, read)
        self.addCleanup(end.near.close)
        self.addCleanup(end.far.close)
        return end

    def test_serves_what_is_ready(self) -> None:
        """Who has something to read reads it, others are left alone."""
        one, other = self.end(), self.end()
        one.far.send(b"abc")
        self.reactor.doIteration(0)
        self.assertEqual((one.got, other.got), ([b"abc"], []))

    def test_serves_writers(self) -> None:
        """Who waits for room is told of it."""
        end = self.end()
        self.reactor.addWriter(end)
        self.reactor.doIteration(0)
        self.reactor.doIteration(0)
        self.assertEqual(end.wrote, 1)

    def test_waits_no_longer(self) -> None:
        """It comes back in time when nothing is ready; None waits for something."""
        end = self.end()
        self.reactor.doIteration(0.001)
        end.far.send(b"a")
        self.reactor.doIteration(None)
        self.assertEqual(end.got, [b"a"])

    def test_end(self) -> None:
        """Who is at its end is let go of."""
        end = self.end()
        end.far.close()
        self.reactor.doIteration(0)
        self.assertEqual([reason.type for reason in end.lost], [ConnectionDone])
        self.assertNotIn(end, self.reactor.getReaders())

    def test_raises(self) -> None:
        """Who raises is let go of and logged; the others are served."""

        def fail(end: End) -> None:
            raise LookupError("on purpose")

        bad, good = self.end(fail), self.end()
        for end in (bad, good):
            end.far.send(b"a")
        self.reactor.doIteration(0)
        self.assertEqual([reason.type for reason in bad.lost], [LookupError])
        self.assertEqual(good.got, [b"a"])
        self.assertEqual(len(self.flushLoggedErrors(LookupError)), 1)

    def test_taken_off(self) -> None:
        """Who was taken off by one that was served before is served no more."""
        ends = [self.end(self.take_off_all) for _ in range(2)]
        for end in ends:
            end.far.send(b"a")
        self.reactor.doIteration(0)
        self.assertEqual(sorted(end.got for end in ends), [[], [b"a"]])

    def take_off_all(self, end: End) -> None:
        """Have the reactor wait for nobody."""
        self.reactor.removeAll()

    def test_no_context(self) -> None:
        """Who is served runs in the context that there was."""
        seen: list[object] = []
        end = self.end(lambda end: seen.append(context.get("system")))
        end.far.send(b"a")
        self.reactor.doIteration(0)
        self.assertEqual(seen, [None])


class OtherReactorTests(SynchronousTestCase):
    """What waits in another way."""

    def test_unchanged(self) -> None:
        """It is left as it is."""
        reactor = MemoryReactorClock()
        before = dict(vars(reactor))
        poll_plainly(reactor)
        self.assertEqual(vars(reactor), before)
