"""A parent and its workers: one service to callers, operators and systemd."""

from __future__ import annotations

import os
import signal
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import soundfile
from twisted.internet.defer import Deferred

from tests.integration.crew import counts, is_running, workers_of
from tests.integration.process import (
    SERVE,
    SPEECH,
    TWISTD,
    Service,
    ServiceTestCase,
    reactor,
    until,
)
from tests.integration.test_activation import Ear
from twistedvoice.archive.verify import verify
from twistedvoice.simulator.journal import Journal
from twistedvoice.simulator.plan import CallPlan
from twistedvoice.simulator.script import HangUp, Step, Wait, say_file
from twistedvoice.simulator.webhook import ask_for_markup

__all__ = ["CrewTests", "DeathTests", "StopTests", "SystemdTests"]

TALKER = "--agent=tests.integration.agents:Talker"


class Live(NamedTuple):
    """A call on the line."""

    plan: CallPlan
    #: Fires with its end.
    ended: Deferred[Journal]
    #: When it had been answered, by our clock.
    since: float


async def outcomes(service: Service, calls: dict[str, list[Live]]) -> set[str]:
    """:returns: how these calls ended, by the callers and by the records."""
    found = set()
    for live in chain(*calls.values()):
        found.add((await live.ended).outcome)
        record = await service.cdr(live.plan.call_id)
        found.add(str(record["outcome"]))
    return found


async def done(service: Service, what: str) -> dict[str, float]:
    """:returns: by worker, how often it did this with the places for calls."""
    return await counts(service, "twistedvoice_admission_total", f'what="{what}"')


def are_recorded(service: Service, calls: dict[str, list[Live]]) -> bool:
    """:returns: whether a second of each of these calls is on the disk."""
    sizes = [path.stat().st_size for path in parts(service)]
    return len(sizes) == len([*chain(*calls.values())]) and min(sizes) > 20_000


def parts(service: Service) -> list[Path]:
    """:returns: its recordings that are not finished."""
    return [path for path in service.recordings() if path.suffix == ".part"]


class WorkersTestCase(ServiceTestCase):
    """Services of two workers."""

    timeout = 120

    async def live(self, service: Service, *steps: Step) -> Live:
        """:returns: a call that has begun."""
        plan = service.plan(steps=steps)
        call = Deferred.fromCoroutine(service.call(plan))
        await service.logs(f"call {plan.call_id} answered")
        return Live(plan, call, reactor.seconds())

    async def on_each(self, service: Service, *steps: Step) -> dict[str, list[Live]]:
        """:returns: by worker, calls that it carries; one at the least."""
        calls: dict[str, list[Live]] = {name: [] for name in workers_of(service)}
        before = await done(service, "claimed")
        while not all(calls.values()):
            live = await self.live(service, *steps)
            now = await done(service, "claimed")
            (worker,) = (name for name in now if now[name] > before[name])
            before = now
            calls[worker].append(live)
        return calls


class CrewTests(WorkersTestCase):
    """What callers and operators have to do with."""

    async def test_webhook_here_stream_there(self) -> None:
        """A call whose webhook and stream reach different workers is a call."""
        async with self.service("--workers=2", "--max-calls=1") as service:
            ways = set[tuple[str, str]]()
            while not {("w1", "w2"), ("w2", "w1")} <= ways:
                ways.add(await self.way(service))

    async def way(self, service: Service) -> tuple[str, str]:
        """:returns: the workers that a whole call's webhook and stream reached."""
        reserved = await done(service, "reserved")
        plan = service.plan(steps=(Wait(100), HangUp()))
        journal = await service.call(plan)
        self.assertEqual(journal.outcome, "completed", service.log)
        record = await service.cdr(plan.call_id)
        now = await done(service, "reserved")
        (asked,) = (name for name in now if now[name] > reserved[name])
        return asked, str(record["node_id"]).rpartition("-")[2]

    async def test_places_of_all(self) -> None:
        """A place that one worker's call has is no other worker's to give."""
        few = ("--max-calls=1", "--drain-seconds=0.5")
        async with self.service("--workers=2", *few) as service:
            live = await self.live(service, Wait(60_000))
            refused = {"w1": 0.0, "w2": 0.0}
            while not all(refused.values()):
                markup = await ask_for_markup(reactor, service.plan())
                self.assertIn(b"<Reject", markup)
                refused = await done(service, "refused_full")
            service.signal("TERM")
            await live.ended

    async def test_operators(self) -> None:
        """One admin port speaks for all workers."""
        async with self.service("--workers=2") as service:
            self.assertEqual((await service.get("/health", admin=True))[1], "up\n")
            self.assertEqual((await service.get("/ready", admin=True))[1], "ready\n")
            up = await counts(service, "twistedvoice_worker_up")
            self.assertEqual(up, {"w1": 1.0, "w2": 1.0})
            _, page = await service.get("/metrics", admin=True)
            self.assertEqual(page.count("# TYPE twistedvoice_calls_live gauge"), 1)
            self.assertEqual((await service.get("/health"))[1], "up\n")
            self.assertNotIn("Traceback", service.log)

    async def test_reload(self) -> None:
        """All workers follow a reload, and a mistake is told once and changes none."""
        file = self.state()
        file.write_text("max_calls = 5\n")
        async with self.service("--workers=2", f"--config={file}") as service:
            file.write_text("max_calls = 6\n")
            service.signal("HUP")
            await until(lambda: service.log.count("reloaded: max_calls") == 2)
            file.write_text('max_calls = "many"\n')
            service.signal("HUP")
            await service.logs("not reloaded: max_calls")
            self.assertEqual(service.log.count("not reloaded"), 1)


class StopTests(WorkersTestCase):
    """How the service ends."""

    async def test_drain(self) -> None:
        """Live calls of all workers go on to their own end, and the code is 0."""
        async with self.service("--workers=2", "--drain-seconds=20") as service:
            speech = say_file(SPEECH)
            calls = await self.on_each(service, Wait(6000), speech, HangUp())
            service.signal("TERM")
            await until(lambda: service.log.count("draining: ") == 2)
            status, _ = await service.get("/ready", admin=True)
            self.assertEqual(status, 503)
            self.assertIn(b"<Reject", await ask_for_markup(reactor, service.plan()))
            self.assertEqual(await outcomes(service, calls), {"completed"})
            self.assertEqual(await service.ended(), 0)
        self.assertEqual(service.log.count("stopped; nothing is left"), 3)
        self.assertNotIn("Traceback", service.log)

    async def test_asked_twice(self) -> None:
        """Who asks a second time need not wait for the calls of any worker."""
        async with self.service("--workers=2", TALKER, "--drain-seconds=50") as service:
            calls = await self.on_each(service, Wait(40_000))
            service.signal("TERM")
            await until(lambda: service.log.count("draining: ") == 2)
            service.signal("TERM")
            self.assertEqual(await service.ended(), 0)
        drained = {cdr["outcome"] for cdr in service.cdrs().values()}
        self.assertEqual(drained, {"drained"})
        for live in chain(*calls.values()):
            await live.ended

    async def test_twistd(self) -> None:
        """Under twistd the workers are the same."""
        async with self.service("--workers=2", command=TWISTD) as service:
            journal = await service.call(service.plan(steps=(Wait(100), HangUp())))
            self.assertEqual(journal.outcome, "completed")
            self.assertEqual(len(workers_of(service)), 2)
        self.assertEqual(service.log.count("stopped; nothing is left"), 3)


class DeathTests(WorkersTestCase):
    """What is killed, and what goes on."""

    async def test_worker(self) -> None:
        """Another worker's call goes on; the dead one is replaced and cleaned up."""
        async with self.service("--workers=2", TALKER) as service:
            calls = await self.on_each(service, Wait(8000), HangUp())
            killed = workers_of(service)["w1"]
            await until(partial(are_recorded, service, calls))
            os.kill(killed, signal.SIGKILL)
            for live in calls["w1"]:
                self.assertEqual((await live.ended).outcome, "lost")
            await until(lambda: workers_of(service).get("w1", killed) != killed)
            await until(lambda: len(parts(service)) == len(calls["w2"]))
            lived = {"w2": calls["w2"]}
            self.assertEqual(await outcomes(service, lived), {"completed"})
            restarts = await counts(service, "twistedvoice_worker_restarts_total")
            await outcomes(service, await self.on_each(service, Wait(500), HangUp()))
        self.assertEqual(restarts, {"w1": 1.0, "w2": 0.0})
        for live in calls["w2"]:
            recording = service.cdrs()[live.plan.call_id]["recording"]
            self.assertEqual(
                (recording["state"], recording["degraded"]), ("done", False)
            )
            self.assertGreater(len(soundfile.read(recording["path"])[0]) / 8000, 5)

    async def test_recordings(self) -> None:
        """A dead worker's recordings lose less than a second, and others nothing."""
        key = "a-key-of-some-length"
        environ = {"TWISTEDVOICE_RECORDING__KEY": key}
        async with self.service("--workers=2", TALKER, environ=environ) as service:
            calls = await self.on_each(service, Wait(8000), HangUp())
            await until(partial(are_recorded, service, calls))
            killed = reactor.seconds()
            os.kill(workers_of(service)["w1"], signal.SIGKILL)
            await until(lambda: len(parts(service)) == len(calls["w2"]))
            recovered = [p for p in service.recordings() if p.suffix == ".wav"]
            self.assertEqual(
                await outcomes(service, {"w2": calls["w2"]}), {"completed"}
            )
        lengths = sorted(len(soundfile.read(path)[0]) / 8000 for path in recovered)
        ages = sorted(killed - live.since for live in calls["w1"])
        self.assertEqual(len(lengths), len(ages))
        for length, age in zip(lengths, ages, strict=True):
            self.assertGreater(length, age - 1)
        verdicts = [verify(path, key.encode()) for path in service.recordings()]
        self.assertEqual({each.state for each in verdicts}, {"intact"}, verdicts)
        self.assertEqual(len(verdicts), sum(map(len, calls.values())))

    async def test_parent(self) -> None:
        """With their parent dead the workers let calls end, free the port, and go."""
        folder = self.state()
        drain = "--drain-seconds=20"
        async with self.service("--workers=2", drain, folder=folder) as service:
            workers = workers_of(service)
            calls = await self.on_each(service, Wait(8000), HangUp())
            service.signal("KILL")
            await until(lambda: service.log.count("left the port") == 2)
            where = f"--listen=tcp:{service.port}:interface=127.0.0.1"
            async with self.service("--workers=2", where, folder=folder) as heir:
                self.assertEqual(heir.port, service.port)
                self.assertTrue(any(map(is_running, workers.values())))
                plan = heir.plan(steps=(Wait(100), HangUp()))
                self.assertEqual((await heir.call(plan)).outcome, "completed")
                self.assertEqual(await outcomes(heir, calls), {"completed"})
                await until(lambda: not any(map(is_running, workers.values())))

    async def test_port_in_use(self) -> None:
        """A second service on the same port is refused, though workers share one."""
        async with self.service("--workers=2") as service:
            listen = f"--listen=tcp:{service.port}:interface=127.0.0.1"
            code, output = await self.run_command(
                *self.command(service, "--workers=2", listen)
            )
        self.assertEqual(code, 1, output)
        self.assertIn("Address already in use", output)

    def command(self, service: Service, *arguments: str) -> list[str]:
        """:returns: the command that starts a service."""
        return [*SERVE, *self.options(service), *arguments]


class SystemdTests(WorkersTestCase):
    """What systemd hears, which knows the parent alone."""

    async def test_notify(self) -> None:
        """It is told when all are ready, and of reload, life and end, by the parent."""
        folder = TemporaryDirectory()  # a socket's path must be short
        self.addCleanup(folder.cleanup)
        address = str(Path(folder.name, "notify"))
        ear = Ear()
        port = reactor.listenUNIXDatagram(address, ear)
        self.addCleanup(port.stopListening)
        environ = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "600000"}
        async with self.service("--workers=2", environ=environ) as service:
            await until(partial(ear.hears, "WATCHDOG=1"))
            self.assertEqual(ear.heard.count("READY=1"), 1)
            service.signal("HUP")
            await until(partial(ear.hears, "RELOADING=1\nMONOTONIC_USEC="))
            await until(lambda: ear.heard.count("READY=1") == 2)
            self.assertEqual(service.log.count("reloaded: nothing"), 2)
            for pid in workers_of(service).values():
                environ_of = Path(f"/proc/{pid}/environ").read_text()
                self.assertNotIn("NOTIFY_SOCKET", environ_of)
            self.assertEqual(await service.stop(), 0)
            await until(partial(ear.hears, "STOPPING=1"))
            self.assertEqual(ear.heard.count("STOPPING=1"), 1)
