# -*- test-case-name: tests.test_worker -*-
"""What a worker has to do with its parent: hears of its end, and tells how it goes.

A worker answers calls as any process of the service does. It does not depend on its
parent for that: it takes connections and writes its log by itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from .systemd import Notify

__all__ = ["Leash", "Reports"]


@implementer(IReadDescriptor)
class Leash:
    """
    The pipe whose other end the parent holds.

    Nothing ever comes through it but its end, which comes however the parent died, and
    also if it died before this process looked for the first time.
    """

    def __init__(
        self, reactor: IReactorFDSet, descriptor: int, torn: Callable[[], object]
    ) -> None:
        """:param torn: called when the parent is gone, or the reactor ends."""
        self._reactor = reactor
        self._descriptor = descriptor
        self._torn = torn

    def start(self) -> None:
        """Listen to it from now on, until it ends."""
        self._reactor.addReader(self)

    def fileno(self) -> int:
        return self._descriptor

    def logPrefix(self) -> str:
        return "parent"

    def doRead(self) -> Failure | None:
        return None if os.read(self._descriptor, 64) else connectionDone

    def connectionLost(self, reason: Failure) -> None:
        # A pipe that ends empty is told of in this way, without a last read.
        self._torn()


class Reports(Notify):
    """Tells the parent what a process of its own tells systemd, a line each."""

    def __init__(self, descriptor: int) -> None:
        super().__init__({})
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)

    def _send(self, message: str) -> None:
        try:
            os.write(self._descriptor, message.encode() + b"\n")
        except OSError:  # the parent is gone, or reads nothing
            self.failed += 1
