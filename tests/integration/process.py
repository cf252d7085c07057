"""A real service in a process of its own, for one test.

Each has a state folder, ports and an auth token of its own, and is gone when its test
ends. It is reached the way a carrier behind a proxy reaches it: it believes in a public
URL, and whoever calls connects to its port. When a test fails while its service runs,
the failure shows the service's log.
"""

from __future__ import annotations

import json
import os
import re
import sys
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.unittest import TestCase
from twisted.web.client import Agent, readBody

import twistedvoice
from twistedvoice.simulator.journal import Journal
from twistedvoice.simulator.place import place_call
from twistedvoice.simulator.plan import CallPlan
from twistedvoice.simulator.service import (
    START_SECONDS,
    ServiceProcess,
    child_environ,
)

__all__ = [
    "PUBLIC_URL",
    "SERVE",
    "SPEECH",
    "TOKEN",
    "TWISTD",
    "Service",
    "ServiceTestCase",
]

#: trial runs what returns a Deferred on the global reactor.
reactor: Any = global_reactor

#: Speech of the simulator's caller, about a second.
SPEECH = Path(twistedvoice.__file__).parent / "simulator/speech/caller_thanks.wav"
TOKEN = "0123456789abcdef0123456789abcdef"
PUBLIC_URL = "https://voice.example.com"
#: The ways to start a service. -P: not what happens to lie in the current directory.
SERVE = (sys.executable, "-P", "-m", "twistedvoice", "serve")
TWISTD = (
    *(sys.executable, "-P", "-c", "from twisted.scripts.twistd import run; run()"),
    *("--nodaemon", "--pidfile=", "twistedvoice"),
)
_LISTENS = re.compile(r"taking calls on 127\.0\.0\.1:(\d+).* 127\.0\.0\.1:(\d+)")
_ASK_EVERY_SECONDS = 0.05


class _Process(ServiceProcess):
    """Keeps the whole log."""

    def __init__(self) -> None:
        super().__init__()
        self.output = ""

    def outReceived(self, data: bytes) -> None:
        self.output += data.decode("utf-8", "replace")

    errReceived = outReceived


@define
class Service:
    """One service that takes calls."""

    #: Its state: store, CDRs, recordings.
    folder: Path
    process: _Process
    #: None: it trusts callers on this machine, and knows no public URL.
    token: str | None = field(repr=False)
    port: int = 0
    admin_port: int = 0

    @property
    def log(self) -> str:
        """All that it has logged."""
        return self.process.output

    @property
    def public_url(self) -> str:
        """What it is called by those who call it."""
        return PUBLIC_URL if self.token else f"http://127.0.0.1:{self.port}"

    def plan(self, **details: Any) -> CallPlan:
        """:returns: the plan of a call to this service."""
        usual = {
            "webhook_url": f"{self.public_url}/twilio/voice",
            "auth_token": self.token,
            "connect_to": ("127.0.0.1", self.port),
            "max_seconds": 30.0,
        }
        return CallPlan(**(usual | details))

    def stream(self, **details: Any) -> CallPlan:
        """:returns: the plan of a call that begins with its stream."""
        url = f"ws{self.public_url.removeprefix('http')}/twilio/media"
        return self.plan(webhook_url="", stream_url=url, **details)

    async def call(self, plan: CallPlan) -> Journal:
        """Call it, and see the call to its end."""
        return await place_call(reactor, plan)

    async def get(self, path: str, *, admin: bool = False) -> tuple[int, str]:
        """:returns: status and body of a page."""
        port = self.admin_port if admin else self.port
        url = f"http://127.0.0.1:{port}{path}".encode()
        agent: Any = Agent(reactor)
        response = await agent.request(b"GET", url)
        return response.code, (await readBody(response)).decode()

    def signal(self, name: str) -> None:
        """Send it a signal."""
        assert self.process.transport is not None
        self.process.transport.signalProcess(name)

    async def logs(self, text: str) -> None:
        """Wait until it has logged ``text``."""
        await until(lambda: text in self.log)

    async def ended(self) -> int:
        """:returns: its exit code, once it has ended."""
        await self.process.ended()
        assert self.process.exit_code is not None
        return self.process.exit_code

    async def stop(self) -> int:
        """:returns: its exit code, after SIGTERM."""
        return await self.process.stop(reactor)

    def cdrs(self) -> dict[str, dict[str, Any]]:
        """:returns: its call records, by call."""
        text = (self.folder / "cdr.jsonl").read_text("utf-8")
        # Who reads while a line is written may see its beginning.
        whole, _, _ = text.rpartition("\n")
        records: dict[str, dict[str, Any]] = {}
        for line in whole.splitlines():
            found = json.loads(line)
            records.setdefault(str(found["call_id"]), {}).update(found)
        return records

    async def cdr(self, call_id: str) -> dict[str, Any]:
        """:returns: the record of a call, once it is written."""
        await until(lambda: call_id in self.cdrs())
        return self.cdrs()[call_id]

    def descriptors(self) -> int:
        """:returns: how many files and sockets it has open."""
        transport: Any = self.process.transport
        return len(os.listdir(f"/proc/{transport.pid}/fd"))

    def recordings(self) -> list[Path]:
        """:returns: the recordings, finished or not, without their sidecars."""
        return sorted((self.folder / "recordings").rglob("*.wav*"))


async def until(happens: Callable[[], bool]) -> None:
    """Wait until something happens in another process."""
    deadline = reactor.seconds() + START_SECONDS
    while not happens():
        if reactor.seconds() > deadline:
            raise AssertionError(f"waited for it in vain for {START_SECONDS:.0f} s")
        await deferLater(reactor, _ASK_EVERY_SECONDS)


class ServiceTestCase(TestCase):
    """A test that starts services."""

    timeout = 60

    def state(self) -> Path:
        """:returns: a new folder for what a service keeps."""
        return Path(self.mktemp()).absolute()

    def environ(self, token: str | None = TOKEN) -> dict[str, str]:
        """:returns: what a child needs to run this package, and no more."""
        environ = child_environ(os.environ, token or "")
        if token is None:
            del environ["TWISTEDVOICE_AUTH_TOKEN"]
        return environ

    @asynccontextmanager
    async def service(
        self,
        *arguments: str,
        trusted: bool = False,
        folder: Path | None = None,
        command: Sequence[str] = SERVE,
        environ: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Service]:
        """
        Run a service; at the end it is stopped, unless it has ended.

        :param trusted: run it with ``--trust-loopback``, else with a public URL.
        :param folder: where its state is, by default a new folder.
        :param environ: what it gets besides the environment that all get.
        """
        token = None if trusted else TOKEN
        service = Service(folder or self.state(), _Process(), token)
        options = [*command, *self.options(service), *arguments]
        env = self.environ(token) | dict(environ or {})
        reactor.spawnProcess(service.process, options[0], options, env=env)
        try:
            await self.listening(service)
            yield service
        except Exception as error:
            trace = "".join(traceback.format_exception(error))
            raise self.failureException(
                f"{error}\n{trace}\nThe log of the service:\n{service.log}"
            ) from error
        finally:
            await service.stop()

    def options(self, service: Service) -> list[str]:
        """:returns: what every service is started with."""
        how = f"--public-url={PUBLIC_URL}" if service.token else "--trust-loopback"
        return [
            how,
            "--listen=tcp:0:interface=127.0.0.1",
            "--admin-listen=tcp:0:interface=127.0.0.1",
            "--agent=echo",
            # A busy machine must not turn calls away from a test.
            "--overload-late-ms=0",
            "--drain-seconds=5",
            f"--store={service.folder / 'store.sqlite'}",
            f"--cdr={service.folder / 'cdr.jsonl'}",
            f"--recordings={service.folder / 'recordings'}",
        ]

    async def listening(self, service: Service) -> None:
        """Wait until the service takes calls."""
        process = service.process
        await until(
            lambda: process.exit_code is not None or bool(_LISTENS.search(service.log))
        )
        found = _LISTENS.search(service.log)
        assert found is not None, f"the service ended with {process.exit_code}"
        service.port, service.admin_port = int(found[1]), int(found[2])

    async def run_command(
        self, *command: str, environ: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """:returns: exit code and output of a command that ends by itself."""
        done: Deferred[tuple[bytes, bytes, int]] = getProcessOutputAndValue(
            command[0], command[1:], env=self.environ() | dict(environ or {})
        )
        out, errors, code = await done
        return code, (out + errors).decode()

    async def together(self, *stories: Coroutine[Any, Any, Any]) -> list[Any]:
        """:returns: what these come to, which happen at the same time."""
        running = [Deferred.fromCoroutine(story) for story in stories]
        return list(await gatherResults(running, consumeErrors=True))
