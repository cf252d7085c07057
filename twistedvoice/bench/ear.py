# -*- test-case-name: tests.bench.test_ear -*-
"""The far ear of one call: the carrier's playout buffer, and when each frame came.

Sound plays once the jitter buffer has waited, and then without a break while more comes
in time. An *underrun* is a frame that came after all before it had been played; the
buffer then waits anew. Time is an argument, in nanoseconds. It keeps no sound: a
thousand of these share one core.
"""

from __future__ import annotations

from array import array

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ..formats import MULAW_8K

__all__ = ["NS_PER_BYTE", "Ear", "Heard"]

NS_PER_BYTE = 1_000_000_000 // MULAW_8K.bytes_per_second


@frozen(kw_only=True)
class Heard:
    """What an ear heard in a window of time."""

    #: How far each gap between frames was from what it should be: the length of the
    #: frame before. Milliseconds, never negative.
    deviations_ms: NDArray[np.float32]
    sound_ns: int
    #: How long it heard nothing, for each underrun.
    underruns_ns: list[int]


class Ear:
    """A playout buffer without sound in it."""

    __slots__ = ("_arrivals", "_jitter_ns", "_lengths", "_played_at", "_underruns")

    def __init__(self, jitter_ns: int) -> None:
        """:param jitter_ns: how long the first sound waits before it plays."""
        self._jitter_ns = jitter_ns
        self._arrivals = array("q")
        self._lengths = array("q")
        #: When all that came will have been played, None when nothing came.
        self._played_at: int | None = None
        self._underruns: list[tuple[int, int]] = []

    def sound(self, now_ns: int, size: int) -> None:
        """So many bytes of sound come now."""
        length = size * NS_PER_BYTE
        self._arrivals.append(now_ns)
        self._lengths.append(length)
        played_at = self._played_at
        if played_at is not None and now_ns <= played_at:
            self._played_at = played_at + length
            return
        if played_at is not None:
            self._underruns.append((now_ns, now_ns - played_at))
        self._played_at = now_ns + self._jitter_ns + length

    def clear(self) -> None:
        """Forget what waits; the next sound begins anew."""
        self._played_at = None

    def played_at(self, now_ns: int) -> int:
        """:returns: when all that came so far will have been played, or was: now."""
        return max(now_ns, self._played_at or 0)

    def heard(self, from_ns: int, to_ns: int) -> Heard:
        """:returns: what came from ``from_ns`` on, before ``to_ns``."""
        arrivals = np.frombuffer(self._arrivals, np.int64)
        lengths = np.frombuffer(self._lengths, np.int64)
        within = slice(*np.searchsorted(arrivals, (from_ns, to_ns)))
        arrivals, lengths = arrivals[within], lengths[within]
        off = np.abs(np.diff(arrivals) - lengths[:-1]) / 1e6
        return Heard(
            deviations_ms=off.astype(np.float32),
            sound_ns=int(lengths.sum()),
            underruns_ns=[
                dry for at_ns, dry in self._underruns if from_ns <= at_ns < to_ns
            ],
        )
