# -*- test-case-name: tests.simulator.test_turns -*-
"""What the caller of a simulated call waited for, as the caller saw it.

Read from the journal after the call: where the caller was done, when the answer came,
and when the ear heard it. It shares nothing with what the service measures of itself,
so that the two can be compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from attrs import frozen

from .ear import Ear
from .journal import Journal

__all__ = ["Turn", "cuts", "turns"]

#: So long must the caller be quiet to be done; a pause in a sentence is shorter.
_DONE_MS = 260


@frozen(kw_only=True)
class Turn:
    """One answer, and how long the caller waited for it."""

    #: ``speech`` or ``key``: what the caller was done with.
    after: str
    #: When that was.
    done_ms: float
    #: From then to the first media message of the answer, and to its first sound.
    wire_ms: float
    heard_ms: float


@frozen
class _Act:
    """Something that the caller did."""

    after: str
    began_ms: float
    done_ms: float


def turns(journal: Journal) -> list[Turn]:
    """
    :returns: in order, each first sound after the caller was done, where the service
        was silent just then or has fallen silent at a clear since.
    """
    acts, clears = _acts(journal), _times(journal, "clear")
    found = []
    for (before_ms, silent_ms), (from_ms, _) in pairwise([(0.0, 0.0), *journal.played]):
        act = _answered(acts, before_ms, from_ms)
        cleared_ms = max((at for at in clears if at <= from_ms), default=0.0)
        if act is None or max(cleared_ms, act.done_ms) < silent_ms:
            continue
        # It may have come before the caller was done, and waited in the buffer.
        came_ms = _first(journal.arrivals, max(silent_ms, cleared_ms))
        if came_ms >= act.done_ms:
            found.append(_turn(act, came_ms, from_ms))
    return found


def cuts(journal: Journal) -> list[float]:
    """
    :returns: for each clear, how long before it the caller last began to speak or
        pressed a key, and so made the service fall silent.
    """
    acts = _acts(journal)
    return [
        cleared_ms - max(before)
        for cleared_ms in _times(journal, "clear")
        if (before := [each.began_ms for each in acts if each.began_ms <= cleared_ms])
    ]


def _turn(act: _Act, came_ms: float, heard_ms: float) -> Turn:
    return Turn(
        after=act.after,
        done_ms=act.done_ms,
        wire_ms=came_ms - act.done_ms,
        heard_ms=heard_ms - act.done_ms,
    )


def _first(arrivals: Sequence[tuple[float, int]], since_ms: float) -> float:
    return next(at_ms for at_ms, _ in arrivals if at_ms >= since_ms)


def _answered(acts: Sequence[_Act], before_ms: float, spoke_ms: float) -> _Act | None:
    """
    :param before_ms: when the sound before began; that has answered what was before.
    :returns: what the caller was done with when the service spoke; None when that was
        nothing new, or when the caller was speaking again.
    """
    if any(act.began_ms <= spoke_ms < act.done_ms for act in acts):
        return None
    over = [act for act in acts if before_ms < act.done_ms <= spoke_ms]
    return max(over, key=lambda act: act.done_ms, default=None)


def _acts(journal: Journal) -> list[_Act]:
    keys = (_Act("key", at_ms, at_ms) for at_ms in _times(journal, "digit"))
    return [*keys, *_words(journal)]


def _words(journal: Journal) -> Iterator[_Act]:
    began_ms: float | None = None
    for at_ms, kind in Ear(_DONE_MS).listen(bytes(journal.said)):
        if kind == "speech_started":
            began_ms = at_ms
        elif began_ms is not None:
            yield _Act("speech", began_ms, at_ms)
            began_ms = None
    if began_ms is not None:
        yield _Act("speech", began_ms, journal.duration_ms)


def _times(journal: Journal, kind: str) -> list[float]:
    return [event.at_ms for event in journal.happenings if event.kind == kind]
