"""The sound of a call that nobody has taken yet."""

from __future__ import annotations

import sys
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.formats import MULAW_8K, AudioFormat
from twistedvoice.realtime.tracks import Track, Tracks

from ..carriers.junk import steady

FORMATS = st.sampled_from([MULAW_8K, AudioFormat("l16", 16000)])
#: A frame's step in time after the one before, and how many bytes it has.
STEPS = st.lists(
    st.tuples(
        st.sampled_from([20, 20, 20, 20, 0, 40, -40, 7]),
        st.sampled_from([160, 160, 160, 160, 159, 161, 480, 1, 0]),
    ),
    max_size=20,
)


def tracks_of(sound: AudioFormat, frames: int) -> Tracks:
    """:returns: tracks with this many frames played, from 1 s on without a hole."""
    tracks = Tracks(sound)
    for number in range(frames):
        payload = bytes([number]) * sound.frame_bytes
        tracks.played.add(1_000_000 + number * 20_000, payload)
    return tracks


def add_steps(track: Track, steps: list[tuple[int, int]]) -> list[tuple[int, bytes]]:
    """:returns: the frames that are in it once ``steps`` were added, from 1 s on."""
    time_ms, frames = 1000, list[tuple[int, bytes]]()
    for number, (step_ms, size) in enumerate(steps):
        time_ms += step_ms
        payload = bytes([number]) * size
        track.add(time_ms, payload)
        frames += [
            (time_ms + at // 8, payload[at : at + 160]) for at in range(0, size, 160)
        ]
    return frames


def sound_of(track: Track) -> bytes:
    """:returns: all the sound of a track."""
    return b"".join(payload for _, payload in track)


class TrackTests(SynchronousTestCase):
    """One side of a call."""

    @steady
    @given(STEPS)
    def test_any_frames(self, steps: list[tuple[int, int]]) -> None:
        """All sound comes out once, in order, each byte at the time it was added at."""
        track = Track(MULAW_8K, 1000)
        added = add_steps(track, steps)
        self.assertEqual(list(track), added)
        self.assertEqual((len(track), bool(track)), (len(added), bool(added)))
        self.assertEqual(track.first, min(added)[0] if added else None)
        pieces = track.take()
        self.assertEqual(
            [
                (start + at // 8, payload[at : at + 160])
                for start, payload in pieces
                for at in range(0, len(payload), 160)
            ],
            added,
        )
        self.assertEqual((list(track), len(track), track.first), ([], 0, None))

    def test_runs(self) -> None:
        """Whole frames that follow each other are one piece; nothing else is."""
        track = Track(MULAW_8K, 1000)
        for time_ms, size in (
            *((0, 160), (20, 160), (40, 100), (60, 160)),
            *((100, 160), (80, 160), (100, 160), (120, 400), (140, 160)),
        ):
            track.add(time_ms, b"x" * size)
        self.assertEqual(
            [(start, len(sound)) for start, sound in track.take()],
            [
                *((0, 320), (40, 100), (60, 160), (100, 160)),
                *((80, 640), (160, 80), (140, 160)),
            ],
        )

    @steady
    @given(STEPS, st.integers(900, 1400))
    def test_forget(self, steps: list[tuple[int, int]], until_ms: int) -> None:
        """What begins before a time is forgotten, and only that."""
        track = Track(MULAW_8K, 1000)
        added = add_steps(track, steps)
        kept = [frame for frame in added if frame[0] >= until_ms]
        track.forget(until_ms)
        self.assertEqual((list(track), len(track)), (kept, len(kept)))
        next_ms = 1020 + sum(step_ms for step_ms, _ in steps)
        track.add(next_ms, b"z" * 160)
        self.assertEqual(list(track), [*kept, (next_ms, b"z" * 160)])

    def test_keeps_nothing(self) -> None:
        """Sound that was taken, forgotten or cut is in memory no more."""
        for let_go in (
            lambda track: track.take(),
            lambda track: track.forget(2000),
            lambda track: track.cut(0),
        ):
            track, payload = Track(MULAW_8K, 1000), bytes(160)
            held = sys.getrefcount(payload)
            track.add(1000, payload)
            let_go(track)
            self.assertEqual(sys.getrefcount(payload), held)

    @steady
    @given(STEPS, st.lists(st.integers(900, 1500), max_size=5))
    def test_take_until(self, steps: list[tuple[int, int]], ends_ms: list[int]) -> None:
        """Frames that are over are taken, up to the first that is not."""
        track = Track(MULAW_8K, 1000)
        in_order = [(max(20, step_ms), min(size, 160)) for step_ms, size in steps]
        left = add_steps(track, in_order)
        for end_ms in ends_ms:
            taken = b"".join(payload for _, payload in track.take(end_ms))
            over = b""
            while left and left[0][0] + len(left[0][1]) / 8 <= end_ms:
                over += left.pop(0)[1]
            self.assertEqual(taken, over)
            self.assertEqual(list(track), left)


class CutTests(SynchronousTestCase):
    """What a clear leaves of the played track."""

    @steady
    @given(FORMATS, st.integers(900_000, 1_300_000))
    def test_cut(self, sound: AudioFormat, at_us: int) -> None:
        """Exactly the whole samples that were played by then are left."""
        played = tracks_of(sound, 10).played
        before = sound_of(played)
        played.cut(at_us)
        size = sound.bytes_in(max(0, at_us - 1_000_000))
        self.assertEqual(sound_of(played), before[:size])

    @steady
    @given(FORMATS, st.integers(900_000, 1_300_000))
    def test_no_overlap_after_a_cut(self, sound: AudioFormat, at_us: int) -> None:
        """A frame that plays from the cut on overlaps nothing before it."""
        played = tracks_of(sound, 10).played
        played.cut(at_us)
        played.add(at_us, sound.silence(sound.frame_bytes))
        frames = list(played)
        self.assertEqual(frames[-1][0], at_us)
        for (start_us, payload), (next_us, _) in pairwise(frames):
            self.assertLessEqual(start_us + sound.duration_us(len(payload)), next_us)

    def test_cut_across_runs(self) -> None:
        """What begins later is gone with all of its run."""
        played = tracks_of(MULAW_8K, 2).played
        played.add(2_000_000, b"a" * 160)
        played.cut(1_030_000)
        self.assertEqual([len(sound) for _, sound in played], [160, 80])
        played.cut(0)
        self.assertEqual(list(played), [])


class TakeTests(SynchronousTestCase):
    """What whoever records gets, and what stays."""

    def test_everything_heard_is_taken_once(self) -> None:
        """What was heard is given out once, and what comes later is kept."""
        tracks = Tracks(MULAW_8K)
        tracks.heard.add(0, b"one")
        self.assertEqual(tracks.take(0), ([(0, b"one")], []))
        tracks.heard.add(20, b"two")
        self.assertEqual(tracks.take(0), ([(20, b"two")], []))

    def test_a_playing_frame_stays(self) -> None:
        """Only frames that have played out are taken; a clear may yet cut the rest."""
        tracks = tracks_of(MULAW_8K, 3)
        _, taken = tracks.take(1_039_999)
        self.assertEqual([start for start, _ in taken], [1_000_000])
        _, taken = tracks.take(1_040_000)
        self.assertEqual([start for start, _ in taken], [1_020_000])
        self.assertEqual([start for start, _ in tracks.played], [1_040_000])

    def test_a_frame_that_was_cut(self) -> None:
        """It is over as soon as what is left of it is."""
        tracks = tracks_of(MULAW_8K, 2)
        tracks.played.cut(1_030_000)
        self.assertEqual([len(sound) for _, sound in tracks.take(1_029_999)[1]], [160])
        self.assertEqual([len(sound) for _, sound in tracks.take(1_030_000)[1]], [80])

    @steady
    @given(FORMATS, st.lists(st.integers(900_000, 1_300_000), max_size=6))
    def test_nothing_is_lost_or_taken_twice(
        self, sound: AudioFormat, times: list[int]
    ) -> None:
        """However often it is taken, all that was played comes out, once, in order."""
        tracks = tracks_of(sound, 10)
        before = sound_of(tracks.played)
        taken = [each for until_us in times for each in tracks.take(until_us)[1]]
        taken += tracks.played.take()
        self.assertEqual(b"".join(payload for _, payload in taken), before)
        for start_us, payload in taken:
            at = sound.bytes_in(start_us - 1_000_000)
            self.assertEqual(payload, before[at : at + len(payload)])
