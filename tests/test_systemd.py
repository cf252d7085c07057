"""Tests of what systemd is told."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.systemd import Notify, Watchdog, memory_folder, watchdog_usec


class NotifyTests(SynchronousTestCase):
    """Messages on a real socket, as systemd would open it."""

    def listen(self, address: str) -> None:
        """Receive what is sent to ``address`` in ``self.received``."""
        self.received = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.received.close)
        self.received.setblocking(False)
        self.received.bind(address)

    def path(self) -> str:
        """A path short enough for a socket."""
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        return os.path.join(directory.name, "notify")

    def test_messages(self) -> None:
        """Each message arrives whole."""
        path = self.path()
        self.listen(path)
        notify = Notify({"NOTIFY_SOCKET": path})
        notify.ready()
        notify.status("3 calls")
        notify.reloading(12)
        notify.alive()
        notify.stopping()
        self.assertEqual(
            [self.received.recv(100) for _ in range(5)],
            [
                b"READY=1",
                b"STATUS=3 calls",
                b"RELOADING=1\nMONOTONIC_USEC=12",
                b"WATCHDOG=1",
                b"STOPPING=1",
            ],
        )
        self.assertEqual(notify.failed, 0)

    def test_abstract(self) -> None:
        """A leading @ names an abstract socket."""
        name = self.path()
        self.listen("\0" + name)
        Notify({"NOTIFY_SOCKET": "@" + name}).ready()
        self.assertEqual(self.received.recv(100), b"READY=1")

    def test_not_started_by_systemd(self) -> None:
        """Without systemd nothing happens, and nothing fails."""
        notify = Notify({})
        notify.ready()
        self.assertEqual(notify.failed, 0)

    def test_nobody_listens(self) -> None:
        """A message that cannot be sent is counted, and that is all."""
        notify = Notify({"NOTIFY_SOCKET": self.path()})
        notify.ready()
        self.assertEqual(notify.failed, 1)

    def test_full(self) -> None:
        """A systemd that reads nothing does not hold us up."""
        path = self.path()
        self.listen(path)
        notify = Notify({"NOTIFY_SOCKET": path})
        for _ in range(10_000):
            notify.alive()
            if notify.failed:
                break
        self.assertEqual(notify.failed, 1)


class _Notify(Notify):
    """Counts how often the watchdog was fed."""

    def __init__(self) -> None:
        super().__init__({})
        self.fed = 0

    def alive(self) -> None:
        self.fed += 1


class WatchdogTests(SynchronousTestCase):
    """The watchdog in virtual time."""

    def setUp(self) -> None:
        """A watchdog of three seconds over a service that lives."""
        self.clock = Clock()
        self.notify = _Notify()
        self.living = True
        self.watchdog = Watchdog(
            self.clock, self.notify, lambda: self.living, 3_000_000
        )

    def test_fed(self) -> None:
        """It is fed three times a period."""
        self.watchdog.start()
        self.assertEqual(self.notify.fed, 0)
        self.clock.pump([1.0] * 6)
        self.assertEqual(self.notify.fed, 6)

    def test_stuck(self) -> None:
        """It is not fed while the service is stuck, and again when it moves on."""
        self.watchdog.start()
        self.living = False
        self.clock.pump([1.0] * 6)
        self.assertEqual(self.notify.fed, 0)
        self.living = True
        self.clock.advance(1.0)
        self.assertEqual(self.notify.fed, 1)

    def test_stop(self) -> None:
        """Stopped, once or twice, it leaves nothing behind."""
        self.watchdog.stop()
        self.watchdog.start()
        self.watchdog.stop()
        self.watchdog.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class WatchdogUsecTests(SynchronousTestCase):
    """Whether systemd watches this process."""

    def test_watched(self) -> None:
        """The period counts when it is meant for this process."""
        self.assertEqual(watchdog_usec({"WATCHDOG_USEC": "20000000"}, 7), 20_000_000)
        environ = {"WATCHDOG_USEC": "5", "WATCHDOG_PID": "7"}
        self.assertEqual(watchdog_usec(environ, 7), 5)

    def test_not_watched(self) -> None:
        """No period, one of zero, or one for another process is none."""
        self.assertIsNone(watchdog_usec({}, 7))
        self.assertIsNone(watchdog_usec({"WATCHDOG_USEC": "0"}, 7))
        self.assertIsNone(watchdog_usec({"WATCHDOG_USEC": "x"}, 7))
        environ = {"WATCHDOG_USEC": "5", "WATCHDOG_PID": "8"}
        self.assertIsNone(watchdog_usec(environ, 7))


class MemoryFolderTests(SynchronousTestCase):
    """Where files are in memory."""

    def test_of_systemd(self) -> None:
        """The folder that systemd made is kept when the service is started again."""
        environ = {"RUNTIME_DIRECTORY": "/run/voice:/run/other"}
        self.assertEqual(memory_folder(environ), Path("/run/voice"))

    def test_without_systemd(self) -> None:
        """Else it is the system's own."""
        self.assertEqual(memory_folder({}), Path("/dev/shm"))
