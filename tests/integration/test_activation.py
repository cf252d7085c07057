"""systemd's side of the service: its sockets, and what it is told."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.internet.defer import Deferred
from twisted.internet.protocol import DatagramProtocol

from tests.integration.process import (
    PUBLIC_URL,
    SERVE,
    SPEECH,
    TOKEN,
    ServiceTestCase,
    reactor,
    until,
)
from twistedvoice.simulator.place import place_call
from twistedvoice.simulator.plan import CallPlan
from twistedvoice.simulator.script import HangUp, Wait, say_file
from twistedvoice.simulator.service import ServiceProcess, free_port, is_up

_ACTIVATE = shutil.which("systemd-socket-activate")


class Ear(DatagramProtocol):
    """Hears what systemd would."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def datagramReceived(self, datagram: bytes, addr: object) -> None:
        self.heard.append(datagram.decode())

    def hears(self, beginning: str) -> bool:
        """:returns: whether a message began so."""
        return any(message.startswith(beginning) for message in self.heard)


class NotifyTests(ServiceTestCase):
    """What a unit of ``Type=notify`` with a watchdog hears."""

    async def test_notify(self) -> None:
        """It is told of the start, of being alive, of a reload, and of the end."""
        folder = TemporaryDirectory()  # a socket's path must be short
        self.addCleanup(folder.cleanup)
        address = str(Path(folder.name, "notify"))
        ear = Ear()
        port = reactor.listenUNIXDatagram(address, ear)
        self.addCleanup(port.stopListening)
        environ = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "300000"}
        async with self.service(environ=environ) as service:
            await until(partial(ear.hears, "READY=1"))
            await until(partial(ear.hears, "WATCHDOG=1"))
            plan = service.plan(steps=(Wait(1500), HangUp()))
            call = Deferred.fromCoroutine(service.call(plan))
            await service.logs(f"call {plan.call_id} answered")
            ear.heard.clear()
            await until(partial(ear.hears, "WATCHDOG=1"))
            service.signal("HUP")
            await until(partial(ear.hears, "RELOADING=1\nMONOTONIC_USEC="))
            await until(partial(ear.hears, "READY=1"))
            await call
            self.assertEqual(await service.stop(), 0)
            await until(partial(ear.hears, "STOPPING=1"))


class ActivationTests(ServiceTestCase):
    """The public port comes from systemd."""

    if _ACTIVATE is None:
        skip = "systemd-socket-activate is not installed"

    async def test_activation(self) -> None:
        """A call comes in on a socket that the service did not open."""
        folder, port = self.state(), free_port()
        self.assertIsNotNone(_ACTIVATE)
        activated = ServiceProcess()
        environ = self.environ()
        passed = [f"--setenv={name}={environ[name]}" for name in environ]
        command = [
            *(str(_ACTIVATE), f"--listen=127.0.0.1:{port}", "--fdname=public"),
            *passed,
            *SERVE,
            f"--public-url={PUBLIC_URL}",
            "--listen=systemd:domain=INET:name=public",
            "--admin-listen=tcp:0:interface=127.0.0.1",
            "--agent=echo",
            f"--store={folder / 'store.sqlite'}",
            f"--cdr={folder / 'cdr.jsonl'}",
            "--recordings=",
        ]
        reactor.spawnProcess(activated, command[0], command, env=environ)
        self.addCleanup(activated.stop, reactor)
        while not await is_up(reactor, f"http://127.0.0.1:{port}/health"):
            self.assertIsNone(activated.exit_code, activated.last_lines())
        plan = CallPlan(
            webhook_url=f"{PUBLIC_URL}/twilio/voice",
            connect_to=("127.0.0.1", port),
            auth_token=TOKEN,
            steps=(say_file(SPEECH), HangUp()),
        )
        journal = await place_call(reactor, plan)
        self.assertEqual(journal.outcome, "completed")
        self.assertEqual(await activated.stop(reactor), 0, activated.last_lines())
        self.assertIn(plan.call_id, (folder / "cdr.jsonl").read_text())
