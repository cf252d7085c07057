# -*- test-case-name: tests.slow.openai tests.slow.cascade -*-
"""A double on a port of its own, until Ctrl-C: what all their commands do.

Which other words one takes, and what comes of them, is the double's business.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IProtocolFactory
from twisted.python.failure import Failure

__all__ = ["parser", "serve"]


def parser(name: str, what: str, port: int) -> ArgumentParser:
    """
    :param name: of the module to run.
    :param what: is played.
    :returns: what reads the command line, ``listen`` in it.
    """
    made = ArgumentParser(
        f"python -m twistedvoice.doubles.{name}",
        description=f"Play {what}, for agents without an account. Each turn of a caller"
        " is answered with tones, one a word.",
    )
    made.add_argument("--listen", default=f"tcp:{port}:interface=127.0.0.1")
    return made


def serve(
    reactor: Any, endpoint: str, factory: IProtocolFactory, tell: Callable[[int], str]
) -> int:
    """
    Listen, say where, and run until somebody stops it.

    :param endpoint: as Twisted writes it.
    :param tell: gives what is said, for the port that it is.
    :returns: the exit status; 1 when the port cannot be had.
    """
    outcome: list[int] = []

    def listening(port: Any) -> None:
        sys.stdout.write(tell(port.getHost().port) + "\n")
        sys.stdout.flush()

    def failed(failure: Failure) -> None:
        sys.stderr.write(f"{failure.getErrorMessage()}\n")
        outcome.append(1)
        reactor.callWhenRunning(reactor.stop)

    port = serverFromString(reactor, endpoint)
    port.listen(factory).addCallbacks(listening, failed)
    reactor.run()
    return outcome[0] if outcome else 0
