"""Tests for :mod:`twistedvoice.simulator.report`."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.simulator.journal import Journal
from twistedvoice.simulator.report import gaps, render, report


def journal_of(*arrivals: float) -> Journal:
    """:returns: a call in which one frame came at each of these times."""
    return Journal(arrivals=[(at_ms, 160) for at_ms in arrivals])


class ReportTests(SynchronousTestCase):
    """Each figure, from the journal."""

    def test_keys(self) -> None:
        """The report has these keys, whatever happened in the call."""
        expected = {
            "answer_ms",
            "clears",
            "cut_ms",
            "duration_ms",
            "first_audio_ms",
            "first_heard_ms",
            "frames_heard",
            "frames_sent",
            "gap_ms",
            "heard_gap_ms_max",
            "marks",
            "outcome",
            "turns",
            "underruns",
        }
        self.assertEqual(set(report(Journal())), expected)
        self.assertEqual(set(report(journal_of(1, 2))), expected)

    def test_silent_call(self) -> None:
        """Where nothing was heard there is no first audio and no gap."""
        figures = report(Journal(outcome="refused"))
        self.assertIsNone(figures["first_audio_ms"])
        self.assertEqual(figures["gap_ms"], {"p50": None, "p99": None, "max": None})
        self.assertEqual(figures["heard_gap_ms_max"], 0.0)
        self.assertEqual(figures["outcome"], "refused")

    def test_times(self) -> None:
        """Times are told to a tenth of a millisecond."""
        journal = Journal(arrivals=[(84.26, 160)], duration_ms=2000.04)
        figures = report(journal)
        self.assertEqual(figures["first_audio_ms"], 84.3)
        self.assertEqual(figures["duration_ms"], 2000.0)

    def test_sound(self) -> None:
        """All that the caller sent is counted, but only sound that the ear heard."""
        silence, sound = b"\xff" * 160, b"\xff" * 80 + b"\x55" * 80
        journal = Journal(
            said=bytearray(silence * 10), heard=bytearray(silence * 3 + sound * 4)
        )
        figures = report(journal)
        self.assertEqual(figures["frames_sent"], 10)
        self.assertEqual(figures["frames_heard"], 4)

    def test_last_frame_not_whole(self) -> None:
        """The last frame counts when the call ended inside it."""
        for heard, frames in ((b"\x55" * 161, 2), (b"\xff" * 161, 0), (b"", 0)):
            figures = report(Journal(heard=bytearray(heard)))
            self.assertEqual(figures["frames_heard"], frames)

    def test_underruns(self) -> None:
        """Each hole that the ear noticed counts, and the longest is told."""
        figures = report(Journal(underruns=[(500.0, 12.0), (900.0, 61.25)]))
        self.assertEqual(figures["underruns"], 2)
        self.assertEqual(figures["heard_gap_ms_max"], 61.2)

    def test_marks_and_clears(self) -> None:
        """Marks and clears are counted when the service sends them."""
        journal = Journal()
        for kind in ("mark_received", "clear", "mark_echoed", "mark_received"):
            journal.note(1.0, kind)
        figures = report(journal)
        self.assertEqual((figures["marks"], figures["clears"]), (2, 1))

    def test_latency(self) -> None:
        """Each answer is told with what it came after, and how late it was."""
        journal = journal_of(1040.04)
        journal.played.append((1100.04, 2000.0))
        journal.note(1000.0, "digit", "1")
        journal.note(1500.0, "clear")
        figures = report(journal)
        self.assertEqual(figures["first_heard_ms"], 1100.0)
        self.assertEqual(
            figures["turns"],
            [{"after": "key", "done_ms": 1000.0, "wire_ms": 40.0, "heard_ms": 100.0}],
        )
        self.assertEqual(figures["answer_ms"], {"p50": 100, "p99": 100, "max": 100})
        self.assertEqual(figures["cut_ms"], {"p50": 500.0, "p99": 500.0, "max": 500.0})

    def test_percentiles(self) -> None:
        """Gaps are told by nearest rank, so each figure is a gap that was measured."""
        times = [20.0 * n for n in range(100)]
        figures = report(journal_of(*times, times[-1] + 70))
        self.assertEqual(figures["gap_ms"], {"p50": 20.0, "p99": 20.0, "max": 70.0})


class GapsTests(SynchronousTestCase):
    """The gaps between media messages."""

    def test_between_neighbours(self) -> None:
        """A gap belongs to the later of two messages."""
        self.assertEqual(list(gaps(journal_of(5, 25, 47))), [(25, 20), (47, 22)])

    def test_pause_after_mark(self) -> None:
        """The pause after the end of an utterance is no gap, nor after a clear."""
        for kind in ("mark_received", "clear"):
            for at_ms in (25.0, 26.0, 1999.0):
                journal = journal_of(5, 25, 2000, 2020)
                journal.note(at_ms, kind)
                self.assertEqual(list(gaps(journal)), [(25, 20), (2020, 20)])

    def test_echo_is_no_end(self) -> None:
        """What the carrier says back ends no utterance."""
        journal = journal_of(5, 25)
        journal.note(10, "mark_echoed")
        self.assertEqual(list(gaps(journal)), [(25, 20)])


class RenderTests(SynchronousTestCase):
    """The file."""

    def test_stable(self) -> None:
        """Keys are sorted and the text reads back as the same figures."""
        figures = report(journal_of(1, 21, 41))
        text = render(figures)
        self.assertEqual(json.loads(text), figures)
        self.assertEqual(text, render(dict(reversed(figures.items()))))
        self.assertTrue(text.endswith("}\n"))
