"""The golden rule, proven: the tick does nothing that could take its time.

Once by reading what the tick can reach, once by watching ten thousand ticks. Each guard
is tested by planting what it must find.
"""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.tcp import Connection
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.realtime.spoken import Spoken
from twistedvoice.realtime.stream import OutgoingStream
from twistedvoice.web.media import MediaSocket

from .purity import Reach, TickWatch, WatchedClock, WatchedSchedule
from .realtime.doubles import (
    BINARY_OVER_PREFIXES,
    TWILIO_OVER_WEBSOCKET,
    FakeTransport,
    Line,
)
from .sources import Module, modules, parse

#: Every function of ours that runs in a tick.
OURS = {
    f"twistedvoice.{name}"
    for name in (
        "metrics.Histogram.observe",
        "realtime.meters.StreamMeters.underran",
        "realtime.playout.PlayoutClock.adapt",
        "realtime.playout.PlayoutClock.frame_sent",
        "realtime.playout.PlayoutClock.frames_due",
        "realtime.schedule.Schedule._visit",
        "realtime.schedule.Schedule._visit_due",
        "realtime.schedule.Schedule.look",
        "realtime.schedule.microseconds",
        "realtime.spoken.Spoken.frame_sent",
        "realtime.stream.OutgoingStream._comfort",
        "realtime.stream.OutgoingStream._hold",
        "realtime.stream.OutgoingStream._sent",
        "realtime.stream.OutgoingStream._why",
        "realtime.stream.OutgoingStream.tick",
        "realtime.tracks.Track.add",
    )
}
#: Everything else that may be called in one: the transport, the clock, plain data.
OTHERS = {
    "tests.realtime.doubles.FakeTransport.write",
    "twisted.internet.task.Clock.seconds",
    "collections.Counter.__missing__",
    # attrs makes this one, of Underrun.
    "twistedvoice.realtime.meters.__init__",
    "_bisect.bisect_left",
    "_bisect.insort_right",
    "builtins.deque.append",
    "builtins.deque.insert",
    "builtins.deque.popleft",
    "builtins.len",
    "builtins.list.append",
    "builtins.max",
    "builtins.min",
}
#: What a write on a media socket comes to: ours, and Twisted's, which fills a list.
SOCKET = {
    "twistedvoice.web.media.MediaSocket.pauseProducing",
    "twistedvoice.web.media.MediaSocket.write",
    "twisted.internet.abstract.FileDescriptor.write",
}
#: The short way of a write, on a plain socket: ours, and one call of the kernel.
DIRECT = {"twistedvoice.web.send.DirectSend.write", "builtins.socket.send"}
TCP = {
    "tests.test_purity._Peer.addWriter",
    "twisted.internet._newtls.ConnectionMixin.write",
    "twisted.internet.abstract.FileDescriptor._isSendBufferFull",
    "twisted.internet.abstract.FileDescriptor._maybePauseProducer",
    "twisted.internet.abstract.FileDescriptor.startWriting",
    "twisted.internet.abstract._dataMustBeBytes",
    "builtins.isinstance",
    "builtins.set.add",
}

#: A line in the middle of a tick.
_HOLD = "        self.meters.held_ticks += 1"


class SourceTests(SynchronousTestCase):
    """What the source of the tick may say."""

    def setUp(self) -> None:
        self.modules = modules()

    def planted(self, where: str, before: str, line: str) -> list[str]:
        """:returns: the offences once ``line`` stands before ``before``."""
        name = f"twistedvoice.{where}"
        text = self.modules[name].text
        self.assertEqual(text.count(before), 1, f"{before} in {where}")
        indent = before[: len(before) - len(before.lstrip())]
        changed = text.replace(before, f"{indent}{line}\n{before}")
        return self.offences_of(parse(name, changed))

    def offences_of(self, changed: Module) -> list[str]:
        """:returns: the offences with one module changed."""
        return Reach({**self.modules, changed.name: changed}).offences()

    def test_source(self) -> None:
        """Nothing that the tick can reach imports, mentions or awaits what is slow."""
        self.assertEqual(Reach(self.modules).offences(), [])

    def test_reach(self) -> None:
        """The check follows the tick through all that it really calls."""
        reached = Reach(self.modules).functions()
        ours = {re.sub(r"^twistedvoice\.[a-z.]+\.", "", name) for name in OURS}
        self.assertLessEqual(ours, reached)
        self.assertNotIn("OutgoingStream.queue_frame", reached)

    def test_followed(self) -> None:
        """The check reads all of realtime/ and what that imports of ours."""
        followed = Reach(self.modules).modules
        for name in ("realtime.tracks", "realtime.framer", "metrics", "formats"):
            self.assertIn(f"twistedvoice.{name}", followed)
        self.assertNotIn("twistedvoice.calls.call", followed)

    def test_planted_in_a_function(self) -> None:
        """Whatever is slow is found in any function that the tick can reach."""
        for line, offence in {
            "print(now_us)": "mentions print",
            "open('/tmp/tick')": "mentions open",
            "sleep(0.001)": "mentions sleep",
            "Deferred()": "mentions Deferred",
            "_log.info('held')": "mentions _log",
            "self.clock.callLater(0, print)": "mentions callLater",
            "threads.deferToThread(self.look)": "mentions deferToThread",
            "Thread(target=self.look).start()": "mentions Thread",
            "reactor.callInThread(self.look)": "mentions callInThread",
            "import json": "has Import",
            "yield": "has Yield",
        }.items():
            found = self.planted("realtime.stream", _HOLD, line)
            self.assertIn(f"OutgoingStream._hold {offence}", found)

    def test_planted_far_away(self) -> None:
        """It is found in other modules too, and behind a function of its own."""
        found = self.planted("metrics", "        self.total += value", "print(value)")
        self.assertEqual(found, ["Histogram.observe mentions print"])
        stream = self.modules["twistedvoice.realtime.stream"]
        helper = f"{stream.text}\ndef tell() -> None:\n    print()\n"
        self.assertEqual(self.offences_of(parse(stream.name, helper)), [])
        told = helper.replace(_HOLD, f"        tell()\n{_HOLD}")
        found = self.offences_of(parse(stream.name, told))
        self.assertEqual(found, ["tell mentions print"])

    def test_planted_import(self) -> None:
        """An import of what is slow is found, also by way of a module of ours."""
        future = "from __future__ import annotations"
        for where in ("realtime.framer", "realtime.schedule", "metrics", "formats"):
            for line in (
                "import threading",
                "import sqlite3 as db",
                "from twisted.logger import Logger",
                "from twisted.internet import threads",
                "import logging, base64",
            ):
                self.assertNotEqual(self.planted(where, future, line), [], line)

    def test_planted_acquaintance(self) -> None:
        """realtime/ must not know who speaks, records or listens."""
        future = "from __future__ import annotations"
        for line in (
            "from ..calls.watcher import FlagWatcher",
            "from ..recording import local",
            "from ..web.media import MediaSocket",
            "from .. import agents",
        ):
            found = self.planted("realtime.flags", future, line)
            self.assertIn("twistedvoice.realtime.flags imports", found[0])

    def test_outside_the_tick(self) -> None:
        """What the tick cannot reach may take its time."""
        line = "        self.generation += 1"
        self.assertEqual(self.planted("realtime.stream", line, "print(now_us)"), [])


class RunningTests(SynchronousTestCase):
    """What ticks do while they run, with real streams in virtual time."""

    def setUp(self) -> None:
        self.watch = TickWatch()
        self.clock = WatchedClock(self.watch)
        self.schedule = WatchedSchedule(self.clock, self.watch)
        for owner, name, spy in self.watch.spies():
            self.patch(owner, name, spy)

    def pass_time(self, milliseconds: int) -> None:
        """Let time pass, a slot at a time."""
        for _ in range(milliseconds // 2):
            self.clock.advance(0.002)

    def strangers(self) -> set[str]:
        """:returns: what was called in a tick and is on no list."""
        return self.watch.called - OURS - OTHERS

    def test_ten_thousand_ticks(self) -> None:
        """Ten thousand ticks of a hundred calls call nothing beyond the lists."""
        makers = [(TWILIO_OVER_WEBSOCKET, 100_000)] * 80
        makers += [(BINARY_OVER_PREFIXES, 40_000)] * 20
        lines = [make(lead_us, comfort=True).open() for make, lead_us in makers]
        talks = [_Talk(line, number) for number, line in enumerate(lines)]
        for line in lines:
            self.schedule.join(line.stream)
        for period in range(105):
            for talk in talks:
                talk.go_on(period, int(self.clock.seconds() * 1_000_000))
            self.pass_time(20)
            if period % 25 == 10:
                self.clock.advance(0.3)
        meters = [line.stream.meters for line in lines]
        self.assertGreaterEqual(sum(each.lateness.count for each in meters), 10_000)
        self.assertEqual({line.stream.flags.failure for line in lines}, {None})
        self.assertEqual(self.strangers(), set())
        self.assertEqual(self.watch.begun, [])
        self.assertEqual(OURS - self.watch.called, set(), "never called")

    def test_socket(self) -> None:
        """A write on what is no plain socket only fills a buffer of Twisted's."""
        self.run_peers([_Peer() for _ in range(20)])
        self.assertEqual(self.strangers() - SOCKET - TCP, set())
        self.assertEqual(SOCKET - self.watch.called, set(), "never called")

    def test_plain_socket(self) -> None:
        """On a plain socket it is one call of the kernel, while that takes all."""
        peers = [_PlainPeer() for _ in range(20)]
        for peer in peers:
            self.addCleanup(peer.close)
        self.run_peers(peers)
        self.assertEqual(self.strangers() - SOCKET - TCP - DIRECT, set())
        self.assertEqual((SOCKET | DIRECT) - self.watch.called, set(), "never called")

    def run_peers(self, peers: Sequence[_Peer]) -> None:
        """Let the agents of all talk, to peers that read now and then."""
        for peer in peers:
            self.schedule.join(peer.stream)
        for period in range(80):
            for peer in peers:
                peer.go_on()
                if period % 40 == 39:
                    peer.read()
            self.pass_time(20)
        for peer in peers:
            self.assertIs(peer.stream.flags.failure, None)
            self.assertGreater(peer.stream.meters.held_ticks, 0)
            self.assertGreater(peer.received, 0)
        self.assertEqual(self.watch.begun, [])

    # -- planted ------------------------------------------------------------------

    def assert_caught(self, deed: Callable[[], object], *names: str) -> None:
        """What a transport does in a tick is seen, under each of these names."""
        line = TWILIO_OVER_WEBSOCKET().open()
        stream = OutgoingStream(_Busy(deed), line.dialect, None, 100_000)
        stream.open(0)
        stream.queue_frame(line.frame(), Spoken(0))
        self.schedule.join(stream)
        self.pass_time(40)
        for name in names:
            self.assertIn(name, self.strangers())

    def test_planted_thread(self) -> None:
        """The start of a thread is seen, and does not happen."""
        self.assert_caught(
            lambda: threading.Thread(target=int).start(), "threading.Thread.__init__"
        )
        self.assertEqual(self.watch.begun, ["start"])

    def test_planted_pool(self) -> None:
        """Work given to a pool of threads is seen, and is not given."""
        pool = ThreadPool(0, 1)
        work = "twisted.python.threadpool.ThreadPool.callInThread"
        self.assert_caught(lambda: pool.callInThread(int), work)
        self.assertEqual(self.watch.begun, ["callInThreadWithCallback"])

    def test_planted_timer(self) -> None:
        """A timer is seen; the one that the schedule itself needs is not in a tick."""
        clock = "tests.purity.WatchedClock.callLater"
        self.assert_caught(lambda: self.clock.callLater(1, int), clock)
        self.assertEqual(self.watch.begun, ["callLater"])

    def test_planted_log(self) -> None:
        """A line of log is seen."""
        log = Logger("tests.test_purity")
        self.assert_caught(
            lambda: log.debug("sent"), "twisted.logger._logger.Logger.debug"
        )

    def test_planted_encoding(self) -> None:
        """Encoding in a tick is seen."""
        self.assert_caught(lambda: json.dumps({}), "json.dumps")
        self.assert_caught(lambda: base64.b64encode(b""), "base64.b64encode")

    def test_planted_waiting(self) -> None:
        """What blocks is seen, if only for a moment."""
        self.assert_caught(lambda: time.sleep(0), "time.sleep")
        self.assert_caught(lambda: os.stat("/"), "posix.stat")
        self.assert_caught(lambda: open(os.devnull).close(), "io.open")
        self.assert_caught(
            lambda: subprocess.list2cmdline([]), "subprocess.list2cmdline"
        )

    def test_planted_deferred(self) -> None:
        """A Deferred is seen."""
        self.assert_caught(
            lambda: Deferred[None](), "twisted.internet.defer.Deferred.__init__"
        )

    def test_planted_late_encoding(self) -> None:
        """A stream that makes its wire bytes in the tick is seen."""
        line = TWILIO_OVER_WEBSOCKET().open()
        payload = line.frame()

        class Late(OutgoingStream):
            def tick(self, now_us: int, late_us: int = 0) -> None:
                self._dialect.media(payload)

        self.schedule.join(Late(line.transport, line.dialect, None, 100_000))
        self.pass_time(20)
        media = "twistedvoice.carriers.twilio.dialect.TwilioDialect.media"
        self.assertIn(media, self.strangers())


class _Talk:
    """A caller and an agent who do all that a tick can meet."""

    def __init__(self, line: Line, number: int) -> None:
        self._line = line
        self._number = number
        self._spoken = Spoken(0)

    def go_on(self, period: int, now_us: int) -> None:
        """Twenty milliseconds more: mostly speech, now and then a trouble."""
        stream, turn = self._line.stream, period + self._number
        if turn % 40 < 30:
            self._line.say(1 + turn % 3 % 2, self._spoken)
        if turn % 10 == 5:
            stream.queue_mark(f"m{turn}")
        if turn % 23 == 0:
            self._line.transport.pause()
        elif turn % 23 == 8:
            self._line.transport.resume()
        if turn % 67 == 0:
            stream.clear(now_us)
            self._spoken = Spoken(stream.generation)


class _Busy(FakeTransport):
    """Does something else with every write."""

    def __init__(self, deed: Callable[[], object]) -> None:
        super().__init__()
        self._deed = deed

    def write(self, wire: bytes) -> None:
        self._deed()


class _Peer:
    """A media socket on TCP; this is its reactor and its kernel, and who reads it."""

    def __init__(self) -> None:
        self.received = 0
        self._writers: set[Connection] = set()
        media = MediaSocket()
        media.transport = Connection(self.handle(), cast(Any, None), cast(Any, self))
        media.transport.connected = True
        media._take_transport()
        media._call = cast(Any, self)
        media.resumeProducing()
        dialect = TWILIO_OVER_WEBSOCKET().open().dialect
        self.stream = OutgoingStream(media, dialect, None, 100_000)
        self.stream.open(0)
        self._spoken = Spoken(0)

    def handle(self) -> Any:
        """:returns: the socket."""
        return self

    def go_on(self) -> None:
        """The agent says a frame more."""
        self.stream.queue_frame(bytes(160), self._spoken)

    def read(self) -> None:
        """The peer reads all that was written."""
        for writer in tuple(self._writers):
            writer.doWrite()

    def addWriter(self, writer: Connection) -> None:
        """As a reactor."""
        self._writers.add(writer)

    def removeWriter(self, writer: Connection) -> None:
        """As a reactor."""
        self._writers.discard(writer)

    def setblocking(self, flag: bool) -> None:
        """As a socket."""

    def fileno(self) -> int:
        """As a socket."""
        return -1

    def send(self, wire: bytes) -> int:
        """As a socket whose buffer is empty."""
        self.received += len(wire)
        return len(wire)


class _PlainPeer(_Peer):
    """A media socket on a socket of the kernel's."""

    def handle(self) -> socket.socket:
        near, self._far = socket.socketpair()
        self._near = near
        self._far.setblocking(False)
        return near

    def read(self) -> None:
        super().read()
        try:
            while True:
                self.received += len(self._far.recv(65536))
        except BlockingIOError:
            return

    def close(self) -> None:
        """Close both ends."""
        self._near.close()
        self._far.close()
