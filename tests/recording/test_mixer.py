"""Tests for :mod:`twistedvoice.recording.mixer`."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.formats import MULAW_8K, AudioFormat
from twistedvoice.realtime.tracks import Note, Track
from twistedvoice.recording.mixer import Batch, Late, Mixer, Moved
from twistedvoice.recording.pieces import CALLER, SERVICE

SILENCE = b"\xff"
A, B, C = b"a" * 160, b"b" * 160, b"c" * 160


def channels(mixer: Mixer, *batches: Batch) -> tuple[bytes, bytes]:
    """:returns: the left and the right side of all that ``mixer`` makes."""
    sound, edits = bytearray(), list[Late | Moved]()
    for mixed in [*map(mixer.mix, batches), mixer.rest()]:
        sound += mixed.block
        edits += mixed.edits
    sides = (sound[::2], sound[1::2])
    for edit in edits:
        if isinstance(edit, Late):
            end = edit.position + len(edit.payload)
            sides[edit.channel][edit.position : end] = edit.payload
        else:
            move(sides[SERVICE], edit)
    return bytes(sides[CALLER]), bytes(sides[SERVICE])


def move(side: bytearray, moved: Moved) -> None:
    """Move sound on one side, as long as it is."""
    sounds = [bytes(side[at:until]) for at, until, _ in moved.pieces]
    for (at, _, _), sound in zip(moved.pieces, sounds, strict=True):
        side[at : at + len(sound)] = SILENCE * len(sound)
    for (at, _, by), sound in zip(moved.pieces, sounds, strict=True):
        fits = sound[: max(0, len(side) - at - by)]
        side[at + by : at + by + len(fits)] = fits


def as_taken(
    frames: Sequence[tuple[int, bytes]], unit_us: int
) -> list[tuple[int, bytes]]:
    """:returns: frames as they come out of a call's track, in as few pieces."""
    track = Track(MULAW_8K, unit_us)
    for time, payload in frames:
        track.add(time, payload)
    return track.take()


class PlaceTests(SynchronousTestCase):
    """Where sound goes."""

    def setUp(self) -> None:
        """Have a mixer."""
        self.mixer = Mixer(MULAW_8K)

    def test_channels(self) -> None:
        """The caller is left and the service right, each in its time."""
        left, right = channels(self.mixer, Batch([(20, A)], [(40_000, B)], 80_000))
        self.assertEqual(left, SILENCE * 160 + A + SILENCE * 320)
        self.assertEqual(right, SILENCE * 320 + B + SILENCE * 160)

    def test_nothing(self) -> None:
        """Time in which nobody spoke is silence."""
        mixed = self.mixer.mix(Batch([], [], 1_000_000))
        self.assertEqual(mixed, (SILENCE * 16000, [], []))
        self.assertEqual(self.mixer.mixed, 8000)

    def test_time_stands(self) -> None:
        """A batch that ends no later than the one before adds nothing."""
        self.mixer.mix(Batch([], [], 100_000))
        for until_us in (100_000, 50_000, -200_000):
            mixed = self.mixer.mix(Batch([], [], until_us))
            self.assertEqual(mixed, (b"", [], []))

    def test_jitter(self) -> None:
        """Timestamps a few milliseconds off tear nothing."""
        heard = [(3, A), (18, B), (46, C)]
        left, _ = channels(self.mixer, Batch(heard, [], 60_000))
        self.assertEqual(left, A + B + C)

    def test_lost_frame(self) -> None:
        """A frame that never came leaves silence of its exact length."""
        left, _ = channels(self.mixer, Batch([(0, A), (40, B)], [], 60_000))
        self.assertEqual(left, A + SILENCE * 160 + B)

    def test_sent_twice(self) -> None:
        """What was there already is dropped and counted."""
        heard = [(0, A), (20, B), (0, C), (20, C), (40, C)]
        left, _ = channels(self.mixer, Batch(heard, [], 60_000))
        self.assertEqual(left, A + B + C)
        self.assertEqual(self.mixer.dropped_frames, 2)

    def test_overlap(self) -> None:
        """Of a frame that begins too early by half, the new part counts."""
        left, _ = channels(self.mixer, Batch([(0, A), (10, B)], [], 30_000))
        self.assertEqual(left, A + B[:80])

    def test_over_the_edge(self) -> None:
        """A frame across the end of a batch is cut there and joined again."""
        left, _ = channels(
            self.mixer,
            Batch([(0, A), (20, B)], [], 30_000, 40_000),
            Batch([], [], 40_000),
        )
        self.assertEqual(left, A + B)

    def test_late(self) -> None:
        """Sound that comes after its place was written goes there still."""
        self.mixer.mix(Batch([(0, A)], [], 30_000))
        mixed = self.mixer.mix(Batch([(20, B)], [], 40_000))
        self.assertEqual(mixed.edits, [Late(CALLER, 160, B[:80])])
        self.assertEqual(mixed.block[::2], B[80:])
        self.assertEqual(self.mixer.late_frames, 1)

    def test_late_and_joined(self) -> None:
        """Late frames are counted, however many came in one piece."""
        self.mixer.mix(Batch([(0, A)], [], 90_000))
        mixed = self.mixer.mix(Batch([(20, B + C + A)], [], 100_000))
        self.assertEqual(mixed.edits, [Late(CALLER, 160, B + C + A)])
        self.assertEqual(self.mixer.late_frames, 3)

    def test_beyond_belief(self) -> None:
        """A timestamp far in the future is dropped and spoils nothing after it."""
        heard = [(0, A), (10**12, B), (20, C)]
        left, _ = channels(self.mixer, Batch(heard, [], 40_000))
        self.assertEqual(left, A + C)
        self.assertEqual(self.mixer.dropped_frames, 1)

    def test_rest(self) -> None:
        """Sound beyond the last batch's end is not lost."""
        left, right = channels(self.mixer, Batch([(0, A)], [], 10_000))
        self.assertEqual((left, right), (A, SILENCE * 160))

    def test_cut_frame(self) -> None:
        """A frame that a clear cut is followed by silence."""
        played = [(20_000, A[:50]), (40_000, B)]
        _, right = channels(self.mixer, Batch([], played, 60_000))
        self.assertEqual(right, SILENCE * 160 + A[:50] + SILENCE * 110 + B)

    def test_wide_samples(self) -> None:
        """Samples of two bytes stay whole."""
        mixer = Mixer(AudioFormat("l16", 16000))
        mixed = mixer.mix(Batch([(0, b"Aa" * 320)], [(0, b"Bb" * 319)], 20_000))
        self.assertEqual(mixed.block, b"AaBb" * 319 + b"Aa\0\0")


class BatchTests(SynchronousTestCase):
    """A call in pieces is the call in one piece."""

    @settings(deadline=None, max_examples=50)
    @given(
        lost=st.sets(st.integers(0, 99)),
        ends=st.lists(st.integers(0, 2_100_000), max_size=8),
    )
    def test_any_batches(self, lost: set[int], ends: list[int]) -> None:
        """However the time is cut, and whatever comes late, the sound is the same."""
        heard = [(20 * n, bytes([n]) * 160) for n in range(100) if n not in lost]
        played = [(at_ms * 1000 + 7, payload) for at_ms, payload in heard]
        whole = channels(Mixer(MULAW_8K), Batch(heard, played, 2_100_000))
        step = len(heard) // (len(ends) + 1)
        batches = [
            Batch(heard[n * step :][:step], played[n * step :][:step], end, 2_100_000)
            for n, end in enumerate(sorted(ends))
        ]
        done = len(ends) * step
        batches.append(Batch(heard[done:], played[done:], 2_100_000))
        self.assertEqual(channels(Mixer(MULAW_8K), *batches), whole)

    @given(
        lost=st.sets(st.integers(0, 149), max_size=4),
        marks=st.dictionaries(st.integers(0, 149), st.integers(0, 200), max_size=3),
        clears=st.sets(st.integers(0, 149), max_size=2),
        late_ms=st.integers(0, 300),
    )
    @example(lost=set(), marks={24: 0}, clears=set(), late_ms=300)
    @example(lost=set(), marks={}, clears={24}, late_ms=20)
    @example(lost=set(), marks={24: 0, 33: 170}, clears=set(), late_ms=120)
    def test_joined(
        self, lost: set[int], marks: dict[int, int], clears: set[int], late_ms: int
    ) -> None:
        """Whether frames come one by one or joined makes no difference."""
        frames = [n for n in range(150) if n not in lost]
        batches = []
        for first in range(0, 160, 25):
            now_us = (first + 25) * 20_000
            # What is younger may still be cut.
            until_us = now_us - 200_000
            came = [n for n in frames if first <= n < first + 25]
            notes = []
            for count, n in enumerate(came, 1):
                at_us = n * 20_000 + late_ms * 1000
                if n in marks:
                    late_us = marks[n] * 1000
                    notes.append(Note("played", at_us + late_us, count, 0, n * 20_000))
                if n in clears:
                    notes.append(Note("clear", at_us, count))
            heard = [(20 * n, bytes([n]) * 160) for n in came]
            played = [
                (20_000 * n, bytes([n]) * 160)
                for n in frames if first <= n + 10 < first + 25
            ]  # fmt: skip
            batches.append(Batch(heard, played, until_us, now_us, notes))
        joined = [
            batch._replace(
                heard=as_taken(batch.heard, 1000), played=as_taken(batch.played, 1)
            )
            for batch in batches
        ]
        self.assertEqual(
            channels(Mixer(MULAW_8K), *joined), channels(Mixer(MULAW_8K), *batches)
        )

    def test_moved_within_a_piece(self) -> None:
        """What a mark moves of a piece that waits moves alone."""
        # Frames 22 to 71 are played; where a mark is, and how much later it came.
        marks = {25: 183, 53: 201, 54: 260}
        singles, joined = [], []
        for first in range(0, 210, 35):
            frames = range(first, first + 35)
            notes = [
                Note("played", came_ms * 1000, came_ms // 20 - first, 0, n * 20_000)
                for n, late_ms in marks.items()
                if (came_ms := n * 20 + late_ms) // 20 in frames
            ]
            heard = [(20 * n, bytes([n]) * 160) for n in frames]
            played = [
                (20_000 * n, bytes([n]) * 160)
                for n in range(22, 72) if n + 10 in frames
            ]  # fmt: skip
            now_us = (first + 35) * 20_000
            batch = Batch(heard, played, now_us - 200_000, now_us, notes)
            singles.append(batch)
            joined.append(
                batch._replace(heard=as_taken(heard, 1000), played=as_taken(played, 1))
            )
        self.assertEqual(
            channels(Mixer(MULAW_8K), *joined), channels(Mixer(MULAW_8K), *singles)
        )


class DriftTests(SynchronousTestCase):
    """An hour."""

    def test_an_hour(self) -> None:
        """Despite jitter, loss and a skewed clock, sound is never a frame off."""
        chance = random.Random(1)
        mixer = Mixer(MULAW_8K)
        worst = found = 0
        for second in range(3600):
            heard = []
            for frame in range(second * 50, second * 50 + 50):
                # The carrier's samples come 100 ppm slower than its clock runs.
                true_ms = frame * 20 * 1.0001
                payload = A if frame % 50 == 25 else B
                if chance.random() > 0.01:
                    jitter_ms = chance.uniform(-3, 3)
                    heard.append((max(0, round(true_ms + jitter_ms)), payload))
            start = mixer.mixed
            mixed = mixer.mix(Batch(heard, [], (second + 1) * 1_000_000))
            at = mixed.block[::2].find(b"a")
            if at >= 0:
                true_ms = (second * 50 + 25) * 20 * 1.0001
                worst = max(worst, abs(start + at - round(true_ms * 8)))
                found += 1
        self.assertGreater(found, 3500)
        self.assertLess(worst, 160)
        # The recording's time is the carrier's, which is 360 ms ahead by now.
        self.assertLess(abs(mixer.mixed - round(3600 * 8000 * 1.0001)), 160)
