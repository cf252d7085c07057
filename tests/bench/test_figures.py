"""Tests for :mod:`twistedvoice.bench.figures`."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.figures import HOLDS, Figures, Limits, Server, Spread
from twistedvoice.bench.machine import Usage
from twistedvoice.bench.tally import Tally

from .values import figures, server


class SpreadTests(SynchronousTestCase):
    """Percentiles."""

    def test_of(self) -> None:
        """A spread is where a half, 99 in 100, 999 in 1000 and all of the times are."""
        spread = Spread.of(np.arange(1001, dtype=np.float32))
        found = (spread.p50, spread.p99, round(spread.p999, 6), spread.most)
        self.assertEqual(found, (500.0, 990.0, 999.0, 1000.0))

    def test_of_none(self) -> None:
        """No times are all 0."""
        self.assertEqual(Spread.of(np.zeros(0, np.float32)), Spread())


class FiguresTests(SynchronousTestCase):
    """What is computed from what was counted."""

    def test_of(self) -> None:
        """The sound that came is a share of what should have come."""
        tally = Tally(counts=Counter(sound_ms=19_000), late_ms=np.ones(1, np.float32))
        found = Figures.of(tally, calls=2, seconds=10.0, stolen=0.5)
        self.assertEqual((found.audio, found.stolen), (0.95, 0.5))
        self.assertEqual((found.late_ms.p99, found.server), (1.0, None))

    def test_server(self) -> None:
        """CPU is for a second of a call, memory for a call beyond idle."""
        idle = Usage(cpu_seconds=1.0, rss_kib=1000)
        before = Usage(cpu_seconds=2.0, rss_kib=1500)
        after = Usage(cpu_seconds=4.0, rss_kib=3000)
        used = Server.between(idle, before, after, 100, 4.0)
        self.assertEqual((used.cpu_share, used.cpu_us_per_call_second), (0.5, 5000.0))
        self.assertEqual((used.rss_idle_kib, used.rss_kib_per_call), (1000, 20.0))
        self.assertEqual(figures().served(used, unrecorded=0).server, used)


class JudgeTests(SynchronousTestCase):
    """Whether a run counts, and whether it holds."""

    def assert_judged(self, outcome: str, words: str, **changes: Any) -> None:
        """With these changes a good run is judged so, for one reason."""
        verdict = HOLDS.judge(figures(**changes))
        self.assertEqual(verdict.outcome, outcome)
        self.assertEqual(len(verdict.reasons), 1)
        self.assertIn(words, verdict.reasons[0])

    def test_holds(self) -> None:
        """A run in which all is well holds, without a word."""
        verdict = HOLDS.judge(figures())
        self.assertEqual((verdict.outcome, verdict.reasons), ("holds", ()))

    def test_fails(self) -> None:
        """Uneven frames, a hole, missing sound and each error make it fail."""
        self.assert_judged("fails", "5.0 ms off", gap_ms=Spread(p99=5.0))
        self.assert_judged("fails", "1 holes", counts={"spoken": 1, "underruns": 1})
        self.assert_judged("fails", "99.40% of the sound", audio=0.994)
        self.assert_judged("fails", "2 calls: refused", errors={"refused": 2})

    def test_recordings(self) -> None:
        """A service that did not record all of a call does not hold."""
        whole = figures().served(server(), unrecorded=0)
        self.assertEqual((whole.server, whole.errors), (server(), {}))
        verdict = HOLDS.judge(figures().served(server(), unrecorded=3))
        self.assertEqual(verdict.outcome, "fails")
        self.assertEqual(verdict.reasons, ("3 calls: not recorded whole",))

    def test_just_holds(self) -> None:
        """What is just within the limits holds."""
        good = figures(gap_ms=Spread(p99=4.99), audio=0.995, stolen=0.03)
        self.assertEqual(HOLDS.judge(good).outcome, "holds")

    def test_invalid(self) -> None:
        """With a late generator, stolen time or no sound it does not count."""
        late = Spread(p99=2.1, most=3.0)
        self.assert_judged("invalid", "(--max-late)", late_ms=late)
        self.assert_judged("invalid", "itself was late: 2.1 ms", batch_ms=late)
        self.assert_judged("invalid", "(--max-stolen)", stolen=0.031)
        self.assert_judged("invalid", "sent nothing", counts={})

    def test_invalid_wins(self) -> None:
        """A run that does not count says nothing about the service."""
        self.assert_judged("invalid", "the host took", stolen=0.5, audio=0.1)

    def test_other_limits(self) -> None:
        """Limits may be others."""
        uneven = figures(gap_ms=Spread(p99=8.0))
        self.assertEqual(Limits(gap_p99_ms=10.0).judge(uneven).outcome, "holds")
