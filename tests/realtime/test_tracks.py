"""The sound of a call that nobody has taken yet."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.formats import MULAW_8K, AudioFormat
from twistedvoice.realtime.tracks import Tracks

from ..carriers.junk import steady

FORMATS = st.sampled_from([MULAW_8K, AudioFormat("l16", 16000)])


def tracks_of(sound: AudioFormat, frames: int) -> Tracks:
    """:returns: tracks with this many frames played, from 1 s on without a hole."""
    tracks = Tracks(sound)
    for number in range(frames):
        payload = bytes([number]) * sound.frame_bytes
        tracks.played.append((1_000_000 + number * 20_000, payload))
    return tracks


def played(tracks: Tracks) -> bytes:
    """:returns: what is left of the played track."""
    return b"".join(payload for _, payload in tracks.played)


class CutTests(SynchronousTestCase):
    """What a clear leaves of the played track."""

    @steady
    @given(FORMATS, st.integers(900_000, 1_300_000))
    def test_cut(self, sound: AudioFormat, at_us: int) -> None:
        """Exactly the whole samples that were played by then are left."""
        tracks = tracks_of(sound, 10)
        before = played(tracks)
        tracks.cut(at_us)
        size = sound.bytes_in(max(0, at_us - 1_000_000))
        self.assertEqual(played(tracks), before[:size])

    @steady
    @given(FORMATS, st.integers(900_000, 1_300_000))
    def test_no_overlap_after_a_cut(self, sound: AudioFormat, at_us: int) -> None:
        """A frame that plays from the cut on overlaps nothing before it."""
        tracks = tracks_of(sound, 10)
        tracks.cut(at_us)
        tracks.played.append((at_us, sound.silence(sound.frame_bytes)))
        ends = [start + sound.duration_us(len(data)) for start, data in tracks.played]
        starts = [start for start, _ in tracks.played]
        for end_us, start_us in zip(ends, starts[1:], strict=False):
            self.assertLessEqual(end_us, start_us)

    def test_heard_is_not_cut(self) -> None:
        """A clear drops nothing of the caller."""
        tracks = tracks_of(MULAW_8K, 1)
        tracks.heard.append((1_000, b"hello"))
        tracks.cut(0)
        self.assertEqual(tracks.heard, [(1_000, b"hello")])


class TakeTests(SynchronousTestCase):
    """What whoever records gets, and what stays."""

    def test_everything_heard_is_taken_once(self) -> None:
        """What was heard is given out once, and what comes later is kept."""
        tracks = Tracks(MULAW_8K)
        tracks.heard.append((0, b"one"))
        self.assertEqual(tracks.take(0), ([(0, b"one")], []))
        tracks.heard.append((20, b"two"))
        self.assertEqual(tracks.take(0), ([(20, b"two")], []))

    def test_a_playing_frame_stays(self) -> None:
        """Only frames that have played out are taken; a clear may yet cut the rest."""
        tracks = tracks_of(MULAW_8K, 3)
        _, taken = tracks.take(1_039_999)
        self.assertEqual([start for start, _ in taken], [1_000_000])
        _, taken = tracks.take(1_040_000)
        self.assertEqual([start for start, _ in taken], [1_020_000])
        self.assertEqual([start for start, _ in tracks.played], [1_040_000])

    @steady
    @given(FORMATS, st.lists(st.integers(900_000, 1_300_000), max_size=6))
    def test_nothing_is_lost_or_taken_twice(
        self, sound: AudioFormat, times: list[int]
    ) -> None:
        """However often it is taken, all that was played comes out, once, in order."""
        tracks = tracks_of(sound, 10)
        before = list(tracks.played)
        taken = [each for until_us in times for each in tracks.take(until_us)[1]]
        self.assertEqual(taken + tracks.played, before)
