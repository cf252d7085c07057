"""A writer process that hangs while it records a call."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from twisted.internet.defer import Deferred

from tests.integration.process import ServiceTestCase, until
from twistedvoice.archive.verify import verify
from twistedvoice.audio.wav import read_wav
from twistedvoice.recording.vault import opener
from twistedvoice.simulator.script import HangUp, Wait

KEY = bytes(range(32))


def writer_of(folder: Path) -> int:
    """:returns: the process that has locked the one recording in ``folder``."""
    (part,) = folder.rglob("*.vault.part")
    inode = str(part.stat().st_ino)
    for lock in Path("/proc/locks").read_text().splitlines():
        _, _, _, _, pid, place, *_ = lock.split()
        if place.endswith(f":{inode}"):
            return int(pid)
    raise AssertionError("nobody writes it")


class HungTests(ServiceTestCase):
    """Stopped, not dead: nothing tells but that it does not answer."""

    timeout = 120

    async def test_stopped(self) -> None:
        """It is killed, another goes on, and less than half a second is lost."""
        agent = "--agent=tests.integration.agents:Talker"
        environ = {"TWISTEDVOICE_RECORDING__ENCRYPTION_KEY": KEY.hex()}
        async with self.service(agent, environ=environ) as service:
            plan = service.plan(steps=(Wait(25_000), HangUp()))
            call = Deferred.fromCoroutine(service.call(plan))
            found = service.folder.rglob
            await until(
                lambda: any(p.stat().st_size > 40_000 for p in found("*.vault.part"))
            )
            os.kill(writer_of(service.folder), signal.SIGSTOP)
            await service.logs("the writer process hangs; it is killed")
            await call
            facts = (await service.cdr(plan.call_id))["recording"]
        self.assertEqual((facts["state"], facts["degraded"]), ("done", True))
        self.assertLess(sum(lost["ms"] for lost in facts["lost"]), 500)
        path = Path(facts["path"])
        self.assertGreater(len(read_wav(path, opener(KEY)).samples), 24 * 8000)
        verdict = verify(path, None, encryption_key=KEY)
        self.assertEqual(verdict.state, "unkeyed", verdict.problems)
