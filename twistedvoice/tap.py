# -*- test-case-name: tests.test_tap -*-
"""``twistd twistedvoice``: reads the options and builds the service.

The one place, with the command line, that touches the global reactor.
"""

from __future__ import annotations

import os
import resource
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from twisted.internet.interfaces import IReactorTime
from twisted.python.logfile import LogFile
from twisted.python.usage import Options as UsageOptions

from . import __version__
from .child import import_path, worker_environ, worker_words
from .config import Config, default_node_id, load, warnings
from .crew import REPORTS
from .disk import check_writable
from .doors import InheritedDoors
from .errors import ConfigError
from .logs import LogOutput
from .parent import ParentService, WorkerStart
from .polling import poll_plainly
from .process import ProcessService
from .routing import Routes
from .service import VoiceService
from .settings import usage_parameters
from .timer import fine_clock
from .web.client import TreqClient
from .wiring import House
from .worker import Reports

__all__ = [
    "Options",
    "build",
    "build_worker",
    "configure",
    "explained",
    "makeService",
    "reconfigure",
]


#: How long a worker may take to give its metrics.
_SCRAPE_SECONDS = 2.0


class Options(UsageOptions):
    """What may be said on the command line; see docs/configuration."""

    optParameters, optFlags = usage_parameters()
    longdesc = "Answer phone calls over WebSocket with voice agents."

    def opt_version(self) -> NoReturn:
        """Display the version and exit."""
        sys.stdout.write(f"twistedvoice {__version__}\n")
        raise SystemExit(0)


def configure(
    options: Mapping[str, Any], environ: Mapping[str, str], node_id: str
) -> tuple[Config, Routes]:
    """
    Read the configuration, and make its agents ready.

    :raises ConfigError: with all that is wrong.
    """
    config = load(options, environ, node_id=node_id)
    return config, Routes(config, Path(options.get("config") or "").parent)


def reconfigure(
    options: Mapping[str, Any], environ: Mapping[str, str], now: Config
) -> tuple[Config, Routes, list[str]]:
    """
    Read the configuration again, for a process that runs.

    :param now: what holds there; what only a new process can change is taken from it.
    :returns: what shall hold, its routes, and the keys whose change must wait.
    :raises ConfigError: with all that is wrong.
    """
    wanted = load(options, environ, node_id=now.node_id)
    config = wanted.taking_over(now)
    routes = Routes(config, Path(options.get("config") or "").parent)
    return config, routes, now.changed(wanted)[1]


def explained(error: ConfigError) -> str:
    """:returns: all that is wrong, for a person to read."""
    return "\n  ".join([str(ConfigError.__doc__), *error.problems])


def makeService(options: Mapping[str, Any]) -> ProcessService:
    """
    Build the service for twistd.

    :raises SystemExit: with all that is wrong with the configuration; twistd would
        show anything else as a traceback.
    """
    try:
        return build(options)
    except ConfigError as error:
        raise SystemExit(f"twistedvoice: {explained(error)}") from error


def build(options: Mapping[str, Any], reactor: Any = None) -> ProcessService:
    """
    Build the service: the one process, or the parent of its workers.

    :param reactor: by default the global one, which then keeps monotonic time: a step
        of the wall clock must not move a frame.
    :raises ConfigError: when the configuration cannot be used.
    """
    reactor, clock = _time(reactor)
    environ = dict(os.environ)
    node_id = default_node_id(socket.gethostname(), os.getpid())
    config, routes = configure(options, environ, node_id)
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
    for warning in warnings(config, hard_limit):
        sys.stderr.write(f"warning: {warning}\n")
    if config.workers > 1:
        return _parent(reactor, options, environ, config)
    return VoiceService(
        reactor,
        House(reactor, config, routes, clock),
        log_output=_log_output(config, _log_name(options)),
        reload=lambda now: reconfigure(options, environ, now),
        environ=environ,
    )


def build_worker(
    options: Mapping[str, Any], log_name: str, reactor: Any = None
) -> VoiceService:
    """
    Build a worker, whose parent has checked the configuration already.

    :param log_name: the file to log to, ``-`` for standard error.
    :raises ConfigError: when the configuration cannot be used all the same.
    """
    reactor, clock = _time(reactor)
    environ = dict(os.environ)
    config, routes = configure(options, environ, node_id="")
    return VoiceService(
        reactor,
        House(reactor, config, routes, clock),
        log_output=_log_output(config, log_name),
        reload=lambda now: reconfigure(options, environ, now),
        environ=environ,
        doors=InheritedDoors(reactor, config),
        notify=Reports(REPORTS),
    )


def _parent(
    reactor: Any, options: Mapping[str, Any], environ: Mapping[str, str], config: Config
) -> ParentService:
    check_writable(config)
    log_name = _log_name(options)

    def command(name: str, node_id: str) -> list[str]:
        its_log = "-" if log_name == "-" else f"{log_name}-{name}"
        return [
            *(sys.executable, "-P", "-m", "twistedvoice", "worker", its_log),
            *worker_words(options, node_id),
        ]

    def read_again(now: Config) -> tuple[Config, list[str]]:
        config, _, cannot = reconfigure(options, environ, now)
        return config, cannot

    return ParentService(
        reactor,
        config,
        client=TreqClient(reactor, timeout_seconds=_SCRAPE_SECONDS),
        log_output=_log_output(config, log_name),
        start=WorkerStart(
            command=command,
            environ=worker_environ(environ, import_path(sys.path, os.getcwd())),
        ),
        reload=read_again,
        environ=environ,
    )


def _time(reactor: Any) -> tuple[Any, IReactorTime]:
    """:returns: the reactor, and the finest clock that goes with it."""
    if reactor is not None:
        return reactor, reactor
    from twisted.internet import reactor as the_reactor

    the_reactor.seconds = time.monotonic  # type: ignore[method-assign]
    poll_plainly(the_reactor)
    return the_reactor, fine_clock(the_reactor)


def _log_output(config: Config, name: str) -> LogOutput:
    file: Any = sys.stderr if name == "-" else LogFile.fromFullPath(name)
    output = LogOutput(file, format=config.log.format)
    output.set_level(config.log.level)
    return output


def _log_name(options: Mapping[str, Any]) -> str:
    """:returns: where twistd was told to log; a daemon has no standard error."""
    twistd = getattr(options, "parent", None) or {}
    name = twistd.get("logfile") or (
        "-" if twistd.get("nodaemon", True) else "twistd.log"
    )
    return "-" if name == "-" else os.path.abspath(name)
