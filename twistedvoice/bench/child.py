# -*- test-case-name: tests.bench.test_child -*-
"""The servers of the load test that are not the plain service, each a process::

    python -m twistedvoice.bench.child baseline
    python -m twistedvoice.bench.child double AGENT
    python -m twistedvoice.bench.child service [--meter] [--stall-ms N ...] -- OPTIONS

The options are the service's own. Whatever runs here says on which port it takes calls
as the service says it.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory
from twisted.logger import globalLogBeginner

from ..tap import Options, build
from .baseline import EchoFactory
from .disturbance import Meter, busy_thread, stalls
from .double import play

__all__ = ["disturbances", "main", "serve_baseline"]

_BACKLOG = 512


def main(words: list[str]) -> int:
    """
    Run one server until SIGTERM.

    :returns: the exit code.
    """
    from twisted.internet import reactor as the_reactor

    reactor: Any = the_reactor
    if words[:1] == ["baseline"]:
        serve_baseline(reactor)
        reactor.run()
        return 0
    if words[:1] == ["double"]:
        play(reactor, words[1])
        reactor.run()
        return 0
    at = words.index("--")
    return _service(reactor, disturbances(words[1:at]), words[at + 1 :])


def serve_baseline(reactor: Any) -> WebSocketServerFactory:
    """Listen with the baseline."""
    reactor.seconds = time.monotonic
    factory = EchoFactory(reactor)
    port = reactor.listenTCP(0, factory, backlog=_BACKLOG, interface="127.0.0.1")
    sys.stderr.write(f"taking calls on 127.0.0.1:{port.getHost().port}\n")
    return factory


def disturbances(words: list[str]) -> argparse.Namespace:
    """:returns: what shall happen to a service from within."""
    parser = argparse.ArgumentParser("child service")
    parser.add_argument("--meter", action="store_true")
    parser.add_argument("--busy-thread", action="store_true")
    parser.add_argument("--stall-ms", type=float)
    parser.add_argument("--every-ms", type=float, default=1000.0)
    return parser.parse_args(words)


def _service(reactor: Any, said: argparse.Namespace, words: list[str]) -> int:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    options: Any = Options()
    options.parseOptions(words)
    service = build(options)
    globalLogBeginner.beginLoggingTo([service.log_output], redirectStandardIO=False)
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    service.startService()
    if said.meter:
        Meter(reactor.callFromThread).start()
    if said.busy_thread:
        busy_thread()
    if said.stall_ms:
        stalls(reactor, said.stall_ms, said.every_ms)
    reactor.run()
    return 1 if service.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
