# -*- test-case-name: tests.slow.openai -*-
"""A double on a port of its own, until Ctrl-C: what its command line does.

Which words it takes, and what comes of them, is the double's business.
"""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet.endpoints import serverFromString
from twisted.python.failure import Failure

from .network import Service
from .server import ServiceFactory

__all__ = ["serve"]


def serve(reactor: Any, endpoint: str, service: Service, setting: str) -> int:
    """
    Listen, say where, and run until somebody stops it.

    :param endpoint: as Twisted writes it.
    :param setting: what is said: ``KEY is ws://HOST:{port}/PATH``.
    :returns: the exit status; 1 when the port cannot be had.
    """
    outcome: list[int] = []

    def listening(port: Any) -> None:
        sys.stdout.write(setting.format(port=port.getHost().port) + "\n")
        sys.stdout.flush()

    def failed(failure: Failure) -> None:
        sys.stderr.write(f"{failure.getErrorMessage()}\n")
        outcome.append(1)
        reactor.callWhenRunning(reactor.stop)

    port = serverFromString(reactor, endpoint)
    port.listen(ServiceFactory(reactor, service)).addCallbacks(listening, failed)
    reactor.run()
    return outcome[0] if outcome else 0
