"""Tests for :mod:`twistedvoice.bench.generator`, in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.figures import HOLDS, Figures
from twistedvoice.bench.generator import Generator
from twistedvoice.bench.tally import Tally

from .net import Net
from .values import job

MS = 1_000_000
SECOND = 1000 * MS


def run(
    net: Net, calls: int = 2, sleep: Callable[[float], None] | None = None, **told: Any
) -> Tally:
    """:returns: what a generator counted in a net."""
    generator = Generator(
        job(calls, **told),
        net.clock,
        sleep or net.sleep,
        poll=net,
        new_socket=net.new_socket,
    )
    return generator.run()


def figures(tally: Tally, calls: int = 2) -> Figures:
    """:returns: its figures."""
    return Figures.of(tally, calls=calls, seconds=1.0, stolen=0.0)


class GeneratorTests(SynchronousTestCase):
    """Many carriers on one loop."""

    def test_perfect_service(self) -> None:
        """A service that echoes on time holds: all sound, no hole, even frames."""
        net = Net(delay=lambda now_ns: 25 * MS)
        tally = run(net, 30)
        found = figures(tally, 30)
        self.assertEqual(tally.errors, {})
        self.assertEqual(HOLDS.judge(found).outcome, "holds")
        self.assertEqual((found.audio, tally.counts["opened"]), (1.0, 30))
        self.assertLess(found.gap_ms.most, 0.21)
        self.assertAlmostEqual(found.echo_ms.p50, 25, delta=0.2)
        self.assertEqual(len(tally.answer_ms), 30)
        self.assertGreaterEqual(found.answer_ms.p50, 25)
        self.assertLessEqual(found.answer_ms.most, 46)
        self.assertTrue(all(socket.closed for socket in net.sockets))
        self.assertTrue(net.closed)

    def test_schedule(self) -> None:
        """Calls are spread over the period, and stay on their own grid."""
        told = list[int]()

        def delay(now_ns: int) -> int:
            told.append(now_ns)
            return 0

        run(Net(delay), 4, from_ns=0, to_ns=SECOND)
        phases = {at_ns // MS % 20 for at_ns in told}
        self.assertEqual(phases, {0, 5, 10, 15})

    def test_slow_service(self) -> None:
        """A service that stops for 100 ms leaves holes, and one for each call."""

        def delay(now_ns: int) -> int:
            return max(0, 1600 * MS - now_ns) if now_ns > 1500 * MS else 0

        found = figures(run(Net(delay)))
        verdict = HOLDS.judge(found)
        self.assertEqual(found.counts["underruns"], 2)
        self.assertEqual(verdict.outcome, "fails")

    def test_late_itself(self) -> None:
        """A generator that is not woken in time knows it, and the run is invalid."""
        net = Net()

        def sleep(seconds: float) -> None:
            net.sleep(0.013)

        verdict = HOLDS.judge(figures(run(net, sleep=sleep)))
        self.assertEqual(verdict.outcome, "invalid")
        self.assertIn("late", verdict.reasons[0])

    def test_window(self) -> None:
        """What is measured is in the window alone."""
        tally = run(Net())
        self.assertEqual(len(tally.late_ms), 100)
        self.assertEqual(tally.counts["sound_ms"], 2000)

    def test_its_part(self) -> None:
        """A generator that has every second call leaves the others' places free."""
        net = Net()
        tally = run(net, indices=(1, 3), all_calls=4)
        self.assertEqual(tally.counts["opened"], 2)
        self.assertEqual(len(net.sockets), 2)

    def test_turns(self) -> None:
        """Short calls take each other's places until enough were made."""
        net = Net()
        tally = run(net, 2, call_ms=300, total=7, to_ns=60 * SECOND)
        self.assertEqual((tally.counts["opened"], len(net.sockets)), (7, 7))
        self.assertLess(net.now_ns, 3 * SECOND)
        streams = {socket.service.heard[1][1] for socket in net.sockets}
        self.assertEqual(len(streams), 7)

    def test_nobody_answers(self) -> None:
        """Calls that never come about are ended with the rest, and counted."""
        net = Net()
        tally = run(net, sleep=self._deaf(net))
        self.assertEqual(tally.counts["did not end"], 2)
        self.assertEqual(tally.counts["opened"], 0)
        self.assertEqual(tally.counts["silent"], 2)

    def _deaf(self, net: Net) -> Callable[[float], None]:
        def sleep(seconds: float) -> None:
            for socket in net.sockets:
                socket.inbox.clear()
            net.sleep(seconds * 20)

        return sleep

    def test_marks(self) -> None:
        """Marks come back while the call goes on."""
        net = Net()
        marked = set[object]()

        def sleep(seconds: float) -> None:
            for socket in net.sockets:
                if socket not in marked and len(socket.service.heard) > 9:
                    marked.add(socket)
                    index = socket.fileno()
                    text = f'{{"event":"mark","streamSid":"MZ{index:032x}",'
                    text += '"mark":{"name":"m"}}'
                    size = len(text)
                    socket.service.say(bytes((0x81, size)) + text.encode())
            net.sleep(seconds)

        self.assertEqual(run(net, sleep=sleep).counts["marks"], 2)
