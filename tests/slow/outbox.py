"""What is done after a call, by real services that are killed."""

from __future__ import annotations

import hmac
import json
import sqlite3
import sys
from base64 import b64encode
from pathlib import Path

from twisted.internet.interfaces import IListeningPort
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from tests.integration.process import SPEECH, ServiceTestCase, reactor, until
from twistedvoice.simulator.script import HangUp, say_file

KEY = b"k" * 32
ENVIRON = {"TWISTEDVOICE_WEBHOOK__SECRET": "whsec_" + b64encode(KEY).decode()}


class Receiver(Resource):
    """Whoever is told of recordings; it answers when it is told to."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.answers = False
        #: The id of each request, what it was told, and whether that was signed.
        self.got: list[tuple[str, object, bool]] = []

    def render_POST(self, request: Request) -> bytes | int:
        """Check the signature as docs/outbox says."""
        assert request.content is not None
        body = request.content.read()
        message_id, timestamp, signatures = (
            request.getHeader(f"webhook-{name}") or ""
            for name in ("id", "timestamp", "signature")
        )
        signed = f"{message_id}.{timestamp}.".encode() + body
        wanted = "v1," + b64encode(hmac.digest(KEY, signed, "sha256")).decode()
        self.got.append(
            (message_id, json.loads(body)["data"], wanted in signatures.split())
        )
        return b"" if self.answers else NOT_DONE_YET


class KilledTests(ServiceTestCase):
    """A service that is killed while it tells the receiver."""

    async def test_killed_while_it_is_performed(self) -> None:
        """The next one tells it again, by the same id, and then nobody does."""
        receiver = Receiver()
        port: IListeningPort = reactor.listenTCP(
            0, Site(receiver), interface="127.0.0.1"
        )
        self.addCleanup(port.stopListening)
        folder = self.state()
        url = f"--webhook-url=http://127.0.0.1:{port.getHost().port}/hook"  # type: ignore[attr-defined]
        start = {"trusted": True, "folder": folder, "environ": ENVIRON}
        async with self.service(url, **start) as service:  # type: ignore[arg-type]
            steps = (say_file(SPEECH), HangUp())
            await service.call(service.stream(steps=steps))
            await until(lambda: len(receiver.got) == 1)
            service.signal("KILL")
            await service.ended()
        self.assertEqual(self.listed(await self.outbox(folder)), {"at work"})
        self.end_leases(folder)
        receiver.answers = True
        async with self.service(url, **start) as service:  # type: ignore[arg-type]
            await until(lambda: len(receiver.got) == 2)
            await until(lambda: bool(self.done(folder)))
        [first, again] = receiver.got
        self.assertEqual(first, again)
        self.assertTrue(first[2], "signed")
        self.assertEqual(self.done(folder), [first[0]])
        self.assertEqual(self.listed(await self.outbox(folder)), set())
        data = first[1]
        assert isinstance(data, dict)
        self.assertTrue(Path(data["path"]).is_file())
        self.assertEqual(list(folder.rglob("*.todo")), [])

    async def outbox(self, folder: Path) -> str:
        """:returns: what the command lists, without title and headings."""
        words = ("-P", "-m", "twistedvoice", "outbox", "list", "--store")
        code, out = await self.run_command(
            sys.executable, *words, str(folder / "store.sqlite")
        )
        self.assertEqual(code, 0, out)
        _title, table, *_ = out.split("\n\n")
        return table.partition("\n")[2]

    def listed(self, table: str) -> set[str]:
        """:returns: the states in a table."""
        return {line.split("  ")[1] for line in table.splitlines()}

    def end_leases(self, folder: Path) -> None:
        """Let a minute pass for the store."""
        with sqlite3.connect(folder / "store.sqlite") as store:
            store.execute("UPDATE errands SET due_at = due_at - 60")
        store.close()

    def done(self, folder: Path) -> list[str]:
        """:returns: the ids of what is recorded as done."""
        with sqlite3.connect(folder / "store.sqlite") as store:
            rows = store.execute("SELECT id FROM errands WHERE state = 'done'")
            ids = [errand_id for (errand_id,) in rows]
        store.close()
        return ids
