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

from twisted.python.logfile import LogFile
from twisted.python.usage import Options as UsageOptions

from . import __version__
from .config import Config, default_node_id, load, warnings
from .errors import ConfigError
from .logs import LogOutput
from .routing import Routes
from .service import VoiceService
from .settings import usage_parameters
from .timer import fine_clock
from .wiring import House

__all__ = [
    "Options",
    "build",
    "configure",
    "explained",
    "makeService",
    "reconfigure",
]


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


def makeService(options: Mapping[str, Any]) -> VoiceService:
    """
    Build the service for twistd.

    :raises SystemExit: with all that is wrong with the configuration; twistd would
        show anything else as a traceback.
    """
    try:
        return build(options)
    except ConfigError as error:
        raise SystemExit(f"twistedvoice: {explained(error)}") from error


def build(options: Mapping[str, Any], reactor: Any = None) -> VoiceService:
    """
    Build the service.

    :param reactor: by default the global one, which then keeps monotonic time: a step
        of the wall clock must not move a frame.
    :raises ConfigError: when the configuration cannot be used.
    """
    clock = reactor
    if reactor is None:
        from twisted.internet import reactor as the_reactor

        reactor = the_reactor
        reactor.seconds = time.monotonic
        clock = fine_clock(reactor)
    environ = dict(os.environ)
    node_id = default_node_id(socket.gethostname(), os.getpid())
    config, routes = configure(options, environ, node_id)
    house = House(reactor, config, routes, clock)
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
    for warning in warnings(config, hard_limit):
        sys.stderr.write(f"warning: {warning}\n")
    log_output = LogOutput(_log_file(options), format=config.log.format)
    log_output.set_level(config.log.level)
    return VoiceService(
        reactor,
        house,
        log_output=log_output,
        reload=lambda now: reconfigure(options, environ, now),
        environ=environ,
    )


def _log_file(options: Mapping[str, Any]) -> Any:
    """:returns: where twistd was told to log; a daemon has no standard error."""
    twistd = getattr(options, "parent", None) or {}
    name = twistd.get("logfile") or (
        "-" if twistd.get("nodaemon", True) else "twistd.log"
    )
    return sys.stderr if name == "-" else LogFile.fromFullPath(os.path.abspath(name))
