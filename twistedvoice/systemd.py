# -*- test-case-name: tests.test_systemd -*-
"""What systemd is told: ready, stopping, reloading, and still alive; and what it tells.

One datagram a message, never blocking; where systemd did not start the process all of
it does nothing. Nothing here may fail the service, so errors are counted only.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

__all__ = ["Notify", "Watchdog", "memory_folder", "watchdog_usec"]

#: Where Linux has files in memory.
_MEMORY = "/dev/shm"  # noqa: S108 - a folder of our own in it


class Notify:
    """The socket that systemd listens on, as ``NOTIFY_SOCKET`` names it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the NUL of an abstract address.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        #: Messages that could not be sent.
        self.failed = 0

    def ready(self) -> None:
        """The service answers calls, for the first time or after a reload."""
        self._send("READY=1")

    def stopping(self) -> None:
        """The service takes no more calls."""
        self._send("STOPPING=1")

    def reloading(self, monotonic_usec: int) -> None:
        """
        The settings are read again; :meth:`ready` says when that is done.

        :param monotonic_usec: now, on the clock that ``time.monotonic`` reads.
        """
        self._send(f"RELOADING=1\nMONOTONIC_USEC={monotonic_usec}")

    def status(self, text: str) -> None:
        """:param text: what ``systemctl status`` shows, one line."""
        self._send(f"STATUS={text}")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        try:
            with socket.socket(socket.AF_UNIX, kind) as sender:
                sender.sendto(message.encode(), self._address)
        except OSError:
            self.failed += 1


class Watchdog:
    """Feeds systemd's watchdog three times a period, as long as work goes on."""

    def __init__(
        self,
        clock: IReactorTime,
        notify: Notify,
        alive: Callable[[], bool],
        period_usec: int,
    ) -> None:
        """
        :param alive: whether the schedule moved on since the last time it was asked.
        :param period_usec: the silence after which systemd kills the process.
        """
        self._notify = notify
        self._alive = alive
        self._interval = period_usec / 3_000_000
        self._loop = LoopingCall(self._feed)
        self._loop.clock = clock

    def start(self) -> None:
        """Begin; the first time it feeds is a third of a period from now."""
        self._loop.start(self._interval, now=False)

    def stop(self) -> None:
        """End; idempotent."""
        if self._loop.running:
            self._loop.stop()

    def _feed(self) -> None:
        if self._alive():
            self._notify.alive()


def memory_folder(environ: Mapping[str, str]) -> Path:
    """
    :returns: a folder whose files are in memory and outlive the process: the one that
        systemd made for the service, since from others it may remove them; see
        ``RuntimeDirectory=`` and ``RemoveIPC=``. It need not be there.
    """
    folder = environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    return Path(folder or _MEMORY)


def watchdog_usec(environ: Mapping[str, str], pid: int) -> int | None:
    """:returns: the period that systemd wants, None when it does not watch ``pid``."""
    usec = environ.get("WATCHDOG_USEC", "")
    watched = environ.get("WATCHDOG_PID", str(pid)) == str(pid)
    return int(usec) if watched and usec.isdecimal() and int(usec) else None
