"""Tests for :mod:`twistedvoice.recording.pieces`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.recording.pieces import (
    CALLER,
    CHANNELS,
    SERVICE,
    before,
    cut_at,
    fill,
    joined,
    one_by_one,
    put,
)

A, B = b"a" * 160, b"b" * 160


class PiecesTests(SynchronousTestCase):
    """Sound in its places."""

    def test_one_by_one(self) -> None:
        """What was joined comes apart again; what was not stays as it is."""
        frames = [(5, A), (25, B), (80, A[:9]), (90, b"")]
        self.assertEqual(one_by_one(frames, 160, 20), frames)
        self.assertEqual(one_by_one([(5, A + B)], 160, 20), frames[:2])

    def test_cut_at(self) -> None:
        """Pieces are cut where a place lies within them, and nowhere else."""
        pieces = [(0, A), (200, B), (400, A + B)]
        self.assertEqual(
            list(cut_at(pieces, [0, 160, 100, 380, 500, 999], 1)),
            [
                *((0, A[:100]), (100, A[100:]), (200, B)),
                *((400, A[:100]), (500, A[100:] + B)),
            ],
        )
        self.assertEqual(list(cut_at([(3, A)], [5], 2)), [(3, A[:4]), (5, A[4:])])

    def test_joined(self) -> None:
        """Pieces without a hole between them become one; others do not."""
        pieces = [(0, A), (160, B), (400, A), (560, B[:80]), (700, A)]
        self.assertEqual(
            list(joined(pieces, 1)), [(0, A + B), (400, A + B[:80]), (700, A)]
        )
        self.assertEqual(list(joined([], 1)), [])

    def test_before(self) -> None:
        """What begins later is left out, and what lasts longer is cut."""
        pieces = [(0, A), (160, B), (320, A)]
        self.assertEqual(list(before(pieces, 200, 1)), [(0, A), (160, B[:40])])
        self.assertEqual(list(before([(0, A)], 40, 2)), [(0, A[:80])])

    @given(st.integers(-300, 300), st.integers(0, 200))
    def test_fill(self, position: int, size: int) -> None:
        """Of a piece, each sample goes to one place: before, within or after."""
        both = bytearray(size * CHANNELS)
        late, waiting = fill(both, [(100 + position, A)], 100, 1, SERVICE)
        self.assertEqual(both[::2], bytes(size))
        count = sum(len(payload) for _, payload in late + waiting) + both.count(b"a")
        self.assertEqual(count, 160)
        for at, payload in late:
            self.assertLessEqual(at + len(payload), 100)
        for at, _ in waiting:
            self.assertGreaterEqual(at, 100 + size)

    def test_put(self) -> None:
        """Samples of both channels alternate, however wide they are."""
        both = bytearray(12)
        put(both, 0, b"abcdef", 2, CALLER)
        put(both, 1, b"1234", 2, SERVICE)
        self.assertEqual(both, b"ab\0\0cd12ef34")
