"""What a parent hands down to its workers besides a plain TCP port."""

from __future__ import annotations

import http.client
import socket
import ssl as tls
from pathlib import Path

from OpenSSL.crypto import FILETYPE_PEM
from twisted.internet import ssl
from twisted.internet.threads import deferToThread

from tests.integration.process import (
    PUBLIC_URL,
    SERVE,
    TOKEN,
    Service,
    ServiceTestCase,
    reactor,
)
from twistedvoice.simulator.place import place_call
from twistedvoice.simulator.plan import CallPlan
from twistedvoice.simulator.script import HangUp, Wait
from twistedvoice.simulator.service import ServiceProcess, is_up

__all__ = ["InheritedTests"]

#: What systemd does between fork and exec.
_ACTIVATE = 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=public exec "$@"'


class InheritedTests(ServiceTestCase):
    """Sockets that are more, or other, than a TCP port of the parent's own."""

    async def test_systemd(self) -> None:
        """Workers take calls from the one socket that systemd gave to their parent."""
        held = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(held.close)
        port, folder = held.getsockname()[1], self.state()
        command = [
            *("/bin/sh", "-c", _ACTIVATE, "sh", *SERVE),
            *("--workers=2", "--agent=echo", "--recordings="),
            f"--public-url={PUBLIC_URL}",
            "--listen=systemd:domain=INET:name=public",
            "--admin-listen=tcp:0:interface=127.0.0.1",
            f"--store={folder / 'store.sqlite'}",
            f"--cdr={folder / 'cdr.jsonl'}",
        ]
        process = ServiceProcess()
        descriptors = {0: "w", 1: "r", 2: "r", 3: held.fileno()}
        reactor.spawnProcess(
            process, command[0], command, env=self.environ(), childFDs=descriptors
        )
        self.addCleanup(process.stop, reactor)
        while not await is_up(reactor, f"http://127.0.0.1:{port}/health"):
            self.assertIsNone(process.exit_code, process.last_lines())
        plan = CallPlan(
            webhook_url=f"{PUBLIC_URL}/twilio/voice",
            connect_to=("127.0.0.1", port),
            auth_token=TOKEN,
            steps=(Wait(100), HangUp()),
        )
        journal = await place_call(reactor, plan)
        self.assertEqual(journal.outcome, "completed")
        self.assertEqual(await process.stop(reactor), 0, process.last_lines())
        self.assertIn(plan.call_id, (folder / "cdr.jsonl").read_text())

    async def test_tls(self) -> None:
        """Workers end TLS themselves, on a port that others may share."""
        key = ssl.KeyPair.generate(size=2048)
        file = Path(self.mktemp()).absolute()
        certificate = key.selfSignedCert(1, CN="voice.example.com")
        file.write_bytes(certificate.dumpPEM() + key.dump(FILETYPE_PEM))
        listen = f"--listen=ssl:0:interface=127.0.0.1:privateKey={file}:certKey={file}"
        for more in (["--workers=2"], ["--share-port"]):
            async with self.service(listen, *more) as service:
                self.assertEqual(await deferToThread(health, service), b"up\n")


def health(service: Service) -> bytes:
    """:returns: what the service says over TLS, whoever it is."""
    context = tls._create_unverified_context()
    connection = http.client.HTTPSConnection(
        "127.0.0.1", service.port, context=context, timeout=20
    )
    connection.request("GET", "/health")
    body = connection.getresponse().read()
    connection.close()
    return body
