"""Tests for :mod:`twistedvoice.archive.purge`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.archive.made import STARTED_AT, made
from tests.recording.left import leave
from twistedvoice.archive.catalog import Entry, Files, scan
from twistedvoice.archive.purge import Held, Limits, Removal, is_to_go, purge
from twistedvoice.formats import MULAW_8K
from twistedvoice.recording.part import PartFile

DAY = 86_400.0
#: Four days later.
NOW = STARTED_AT + 4 * DAY


def entry(started_at: float, size: int, *beside: str) -> Entry:
    """:returns: a recording of which only this is known."""
    return Entry(
        files=Files("/f", "a", "a.wav", beside),
        state="finished",
        session_id="a",
        started_at=started_at,
        duration_ms=None,
        why=None,
        degraded=None,
        size=size,
        head={},
    )


class RuleTests(SynchronousTestCase):
    """Which recording is to go."""

    def test_none(self) -> None:
        """Without limits everything stays."""
        self.assertTrue(Limits().are_none)
        held = Held(recordings=10**6, size=10**15)
        self.assertFalse(is_to_go(Limits(), entry(0, 1), held, 10**10))

    def test_each(self) -> None:
        """Each limit alone makes one go that is beyond it, and none that is at it."""
        one, now = entry(100, 50), 160.0
        for limits, beyond in (
            (Limits(seconds=60), False),
            (Limits(seconds=59), True),
            (Limits(size=500), False),
            (Limits(size=499), True),
            (Limits(recordings=5), False),
            (Limits(recordings=4), True),
        ):
            held = Held(recordings=5, size=500)
            self.assertIs(is_to_go(limits, one, held, now), beyond, limits)

    @given(st.lists(st.integers(1, 9), max_size=12), st.integers(0, 60))
    def test_size(self, sizes: list[int], most: int) -> None:
        """What stays is the longest row of the newest that fits."""
        limits, stay = Limits(size=most), list[int]()
        for place, size in enumerate(sizes):
            held = Held(recordings=len(sizes) - place, size=sum(sizes[place:]))
            if not is_to_go(limits, entry(place, size), held, 0):
                stay.append(size)
        self.assertEqual(stay, sizes[len(sizes) - len(stay) :])
        self.assertLessEqual(sum(stay), most)
        if len(stay) < len(sizes):
            self.assertGreater(sum(sizes[len(sizes) - len(stay) - 1 :]), most)


class PurgeTests(SynchronousTestCase):
    """What is removed."""

    def setUp(self) -> None:
        """A recording on each of four days, named for its age."""
        self.folder = Path(self.mktemp())
        for day in range(4):
            self.make(f"2026/11/{20 + day}", f"{4 - day}-days", day)

    def make(self, where: str, name: str, day: float) -> Path:
        """:returns: the sound of a recording."""
        return made(self.folder / where, name, started_at=STARTED_AT + day * DAY)

    def purge(self, **limits: int) -> list[str]:
        """:returns: what was removed, in its order."""
        done = purge(self.folder, Limits(**limits), now=NOW)
        removals = [each for each in done if isinstance(each, Removal)]
        self.assertEqual([each.error for each in removals], [None] * len(removals))
        return [each.entry.session_id for each in removals]

    def left(self) -> set[str]:
        """:returns: the names of all that is left."""
        return {each.name for each in self.folder.rglob("*.*")}

    def test_age(self) -> None:
        """What is too old goes, the oldest first, with all that belongs to it."""
        for name in ("4-days.flac", "4-days.png"):
            (self.folder / "2026/11/20" / name).touch()
        self.assertEqual(self.purge(seconds=int(2.5 * DAY)), ["4-days", "3-days"])
        self.assertEqual(
            self.left(), {"2-days.wav", "2-days.jsonl", "1-days.wav", "1-days.jsonl"}
        )

    def test_number(self) -> None:
        """The newest stay; within a day the start of the call decides."""
        self.make("2026/11/22", "0-early", 1.9)
        self.assertEqual(self.purge(recordings=2), ["4-days", "3-days", "0-early"])

    def test_size(self) -> None:
        """The oldest go until all together, with what is beside, are small enough."""
        *_, newest = scan(self.folder)
        (self.folder / "2026/11/22/2-days.flac").write_bytes(b"x" * newest.size)
        self.assertEqual(self.purge(size=3 * newest.size), ["4-days", "3-days"])

    def test_kept(self) -> None:
        """What is written, was left, or is still to be handed on stays, and counts."""
        day = self.folder / "2026/11/20"
        part = PartFile(day / "live.wav", MULAW_8K, about={"started_at": STARTED_AT})
        part.open()
        self.addCleanup(part.discard)
        leave(day / "left.wav")
        (day / "4-days.todo").touch()
        self.assertEqual(self.purge(recordings=1), ["3-days", "2-days"])
        live = {"live.wav.part", "live.jsonl.part", "left.wav.part", "left.jsonl.part"}
        self.assertLessEqual(live | {"4-days.wav", "4-days.todo"}, self.left())

    def test_elsewhere(self) -> None:
        """What lies in no folder of a day is kept, whatever it is."""
        self.make("kept", "kept", 0)
        self.make("2026/11", "loose", 0)
        self.purge(recordings=0)
        self.assertLessEqual({"kept.wav", "loose.wav"}, self.left())

    def test_empty_folders(self) -> None:
        """A day without recordings goes, and so do its month and year; today stays."""
        self.make("2025/12/31", "old", -324)
        today = self.folder / "2026/11/24"
        yesterday = self.folder / "2026/11/23"
        today.mkdir()
        self.purge(recordings=0)
        self.assertFalse((self.folder / "2025").exists())
        self.assertEqual(set(today.parent.iterdir()), {today, yesterday})

    def test_dry(self) -> None:
        """Nothing is touched when it is only asked."""
        before = self.left()
        done = purge(self.folder, Limits(recordings=1), now=NOW, dry=True)
        self.assertEqual(len([each for each in done if isinstance(each, Removal)]), 3)
        self.assertEqual(self.left(), before)

    def test_crash(self) -> None:
        """After a death at any step the rest is found, and goes the next time."""
        (self.folder / "2026/11/20/4-days.flac").touch()
        real, died = os.unlink, OSError("died")
        for steps in (0, 1, 1):
            left = iter(range(steps))

            def unlink(path: str, left: Iterator[int] = left) -> None:
                if next(left, None) is None:
                    raise died
                real(path)

            self.patch(os, "unlink", unlink)
            (removal,) = self.first_removal()
            self.assertIs(removal.error, died)
            self.assertIn("4-days.wav", self.left())
        self.patch(os, "unlink", real)
        self.assertEqual(self.purge(recordings=3), ["4-days"])
        self.assertEqual([each for each in self.left() if "4-" in each], [])

    def first_removal(self) -> list[Removal]:
        """:returns: what became of the oldest."""
        done = purge(self.folder, Limits(recordings=3), now=NOW)
        return [each for each in done if isinstance(each, Removal)]

    def test_steps(self) -> None:
        """It comes back after each recording that it looked at, twice for a size."""
        looks = len(list(purge(self.folder, Limits(seconds=10**9), now=NOW)))
        self.assertEqual(looks, 4)
        looks = len(list(purge(self.folder, Limits(size=10**9), now=NOW)))
        self.assertEqual(looks, 8)
