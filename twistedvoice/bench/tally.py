# -*- test-case-name: tests.bench.test_tally -*-
"""What one generator is told to do, and what it counted: values that cross processes.

A :class:`Job` goes to a generator as JSON, a :class:`Tally` comes back as the bytes of
a NumPy archive: all measured times are kept until they are put together, since
percentiles of parts do not add up.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np
from attrs import asdict, define, field, frozen
from numpy.typing import NDArray

from .ear import Heard

__all__ = ["Job", "Tally"]

_NS = 1_000_000_000
Times = NDArray[np.float32]


@frozen(kw_only=True)
class Job:
    """The part of one generator in a run. Times are of the monotonic clock."""

    host: str
    port: int
    path: str
    #: The calls of this generator, by their numbers among ``all_calls``.
    indices: tuple[int, ...]
    all_calls: int
    #: When the first call of the run connects, and the time from one to the next.
    begin_ns: int
    apart_ns: int
    #: What is measured comes in this window.
    from_ns: int
    to_ns: int
    jitter_ms: int = 60
    #: Each call lasts until ``to_ns``, or so long; then another takes its place,
    #: until so many were made.
    call_ms: int | None = None
    total: int = 0

    @property
    def calls(self) -> int:
        """How many calls it makes in all."""
        return max(self.total, len(self.indices))

    def to_json(self) -> bytes:
        """:returns: one line."""
        return json.dumps(asdict(self)).encode("ascii") + b"\n"

    @classmethod
    def from_json(cls, line: bytes) -> Self:
        """The other way round."""
        words = json.loads(line)
        return cls(**{**words, "indices": tuple(words["indices"])})


def _no_times() -> Times:
    return np.zeros(0, np.float32)


@define(kw_only=True)
class Tally:
    """What the calls of one run came to, or those of one generator."""

    #: What went well or wrong, by name: ``opened``, ``spoken``, ``underruns`` ...
    counts: Counter[str] = field(factory=Counter)
    #: What must not happen, by name: ``refused``, ``lost``, ``protocol`` ...
    errors: Counter[str] = field(factory=Counter)
    #: |gap - ideal| of all frames in all calls, milliseconds.
    gaps_ms: Times = field(factory=_no_times)
    #: From the sending of a frame to its return.
    echo_ms: Times = field(factory=_no_times)
    #: From the ``start`` of each call to the first sound that came.
    answer_ms: Times = field(factory=_no_times)
    #: How late the generator itself sent.
    late_ms: Times = field(factory=_no_times)
    #: How long it took for what came at once; arrivals are that uncertain.
    batch_ms: Times = field(factory=_no_times)

    def heard(self, all_heard: Iterable[Heard]) -> None:
        """Add what ears heard."""
        gaps = [self.gaps_ms]
        for heard in all_heard:
            gaps.append(heard.deviations_ms)
            self.counts["sound_ms"] += heard.sound_ns // 1_000_000
            self.counts["underruns"] += len(heard.underruns_ns)
            self.counts["dry_ms"] += sum(heard.underruns_ns) // 1_000_000
            self.counts["silent"] += not heard.sound_ns
        self.gaps_ms = np.concatenate(gaps)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            counts=self.counts + other.counts,
            errors=self.errors + other.errors,
            **{
                name: np.concatenate((times, other._times()[name]))
                for name, times in self._times().items()
            },
        )

    def to_bytes(self) -> bytes:
        """:returns: all of it."""
        counted = json.dumps([self.counts, self.errors])
        file = io.BytesIO()
        np.savez(file, counted=np.array(counted), **self._times())
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """
        The other way round.

        :raises ValueError: when it is no tally.
        """
        archive: Mapping[str, Any] = np.load(io.BytesIO(data))
        counts, errors = json.loads(str(archive["counted"]))
        times = {name: archive[name] for name in archive if name != "counted"}
        return cls(counts=Counter(counts), errors=Counter(errors), **times)

    def _times(self) -> dict[str, Any]:
        return {
            "gaps_ms": self.gaps_ms,
            "echo_ms": self.echo_ms,
            "answer_ms": self.answer_ms,
            "late_ms": self.late_ms,
            "batch_ms": self.batch_ms,
        }
