"""The house in virtual time: its reactor, its configuration, and a guest.

A test makes a whole process of the service with :func:`settings` and
:class:`HouseReactor`; blocking work is done on the spot, and nothing is listened on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogLevel

from twistedvoice import pools
from twistedvoice.config import Config, load
from twistedvoice.events import Message
from twistedvoice.routing import Routes
from twistedvoice.wiring import House

__all__ = ["HELLO", "Guest", "HouseReactor", "Pool", "house", "settings"]


#: An event of the log.
HELLO = {
    "log_level": LogLevel.info,
    "log_namespace": "tests",
    "log_format": "hello",
    "log_time": 0.0,
}


class HouseReactor(MemoryReactorClock):
    """A reactor that threads and signals may wake."""

    def __init__(self) -> None:
        super().__init__()
        self.is_stopped = False

    def callFromThread(self, f: Callable[..., object], *args: object) -> None:
        self.callLater(0, f, *args)

    def stop(self) -> None:
        self.is_stopped = True


class Pool(pools.Pool):
    """A pool that does its work on the spot."""

    is_stopped = False

    def defer(self, work: Callable[..., Any], *args: object) -> Deferred[Any]:
        """:returns: has fired already."""
        return maybeDeferred(work, *args)

    def stop(self) -> None:
        """Do no more."""
        self.is_stopped = True


class Guest:
    """The transport of a call whose other end says nothing."""

    writable = True

    def __init__(self) -> None:
        self.events: list[str] = []

    def frame(self, message: Message) -> bytes:
        """:returns: the bytes for the wire."""
        return bytes(message.data)

    def write(self, wire: bytes) -> None:
        """Note it."""
        self.events.append("write")

    def close(self, reason: str) -> None:
        """Note why."""
        self.events.append(f"close {reason}")


def settings(toml: str = "", **options: object) -> Config:
    """
    :param toml: what stands in the file, if there is to be one.
    :param options: by long name, with underscores.
    :returns: a configuration that trusts this machine and keeps nothing.
    """
    usual: dict[str, object] = {
        "trust-loopback": 1,
        "listen": "tcp:8080:interface=127.0.0.1",
        "store": "memory:",
        "recordings": "",
        "cdr": "",
        "agent": "echo",
    }
    given = {name.replace("_", "-"): value for name, value in options.items()}
    if toml:
        path = Path(str(given.pop("folder")), "settings.toml")
        path.write_text(toml)
        usual["config"] = str(path)
    return load(usual | given, {}, node_id="n-1")


def house(reactor: HouseReactor, config: Config) -> House:
    """:returns: all parts, with pools that do their work on the spot."""
    return House(reactor, config, Routes(config, Path()), reactor, Pool)
