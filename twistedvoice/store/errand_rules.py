# -*- test-case-name: tests.store.test_memory tests.store.test_sqlite -*-
"""The rules of errands, once for every back end.

Each rule is a function of the rows of a back end, which runs it inside one transaction.
An errand is taken by a lease, which is its ``holder`` and a ``due_at`` in the future: a
holder that died leaves it due again by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from attrs import evolve

from ..errands import Errand, KeptErrand
from .rows import Rows

__all__ = ["add", "done", "drop", "failed", "hold", "release", "retry", "take"]


def add(rows: Rows, errands: Iterable[Errand], now: float) -> None:
    """See :meth:`twistedvoice.errands.ErrandStore.add_errands`."""
    for errand in errands:
        if rows.errand(errand.id) is None:
            before = rows.errand(errand.after) if errand.after else None
            free = not errand.after or (before is not None and before.state == "done")
            rows.put_errand(
                KeptErrand(
                    errand=errand,
                    state="waiting" if free else "blocked",
                    posted_at=now,
                    due_at=now,
                )
            )


def take(
    rows: Rows,
    kinds: Collection[str],
    holder: str,
    limit: int,
    expires_at: float,
    now: float,
) -> Sequence[Errand]:
    """See :meth:`twistedvoice.errands.ErrandStore.take_errands`."""
    taken = []
    for kept in rows.due_errands(kinds, limit, now):
        if kept.state == "parked":
            # It is not what was put there; the others must not wait for it.
            rows.put_errand(kept)
            continue
        errand = kept.errand
        begun = evolve(errand, attempts=errand.attempts + 1)
        rows.put_errand(evolve(kept, errand=begun, holder=holder, due_at=expires_at))
        taken.append(evolve(errand, found=_found(rows, errand)))
    return taken


def hold(rows: Rows, ids: Iterable[str], holder: str, expires_at: float) -> None:
    """See :meth:`twistedvoice.errands.ErrandStore.hold_errands`."""
    for kept in _held(rows, ids, holder):
        rows.put_errand(evolve(kept, due_at=expires_at))


def release(rows: Rows, ids: Iterable[str], holder: str, now: float) -> None:
    """See :meth:`twistedvoice.errands.ErrandStore.release_errands`."""
    for kept in _held(rows, ids, holder):
        unbegun = evolve(kept.errand, attempts=kept.errand.attempts - 1)
        rows.put_errand(evolve(kept, errand=unbegun, holder="", due_at=now))


def done(rows: Rows, errand_id: str, result: Mapping[str, object], now: float) -> None:
    """See :meth:`twistedvoice.errands.ErrandStore.errand_done`."""
    kept = rows.errand(errand_id)
    if kept is None or kept.state == "done":
        return
    found = {**_found(rows, kept.errand), **result}
    rows.put_errand(
        evolve(kept, state="done", due_at=now, holder="", reason="", result=found)
    )
    for each in rows.followers(errand_id):
        if each.state == "blocked":
            rows.put_errand(evolve(each, state="waiting", due_at=now))


def failed(
    rows: Rows, errand_id: str, holder: str, reason: str, due_at: float | None
) -> None:
    """See :meth:`twistedvoice.errands.ErrandStore.errand_failed`."""
    for kept in _held(rows, [errand_id], holder):
        let_go = evolve(kept, holder="", reason=reason)
        if due_at is None:
            rows.put_errand(evolve(let_go, state="parked"))
        else:
            rows.put_errand(evolve(let_go, due_at=due_at))


def retry(rows: Rows, ids: Sequence[str] | None, now: float) -> Sequence[str]:
    """See :meth:`twistedvoice.errands.ErrandStore.retry_errands`."""
    wanted = [
        kept
        for kept in rows.errands(["parked", "waiting"], None)
        if (ids is None or kept.errand.id in ids) and _is_put_off(kept, now)
    ]
    for kept in wanted:
        anew = evolve(kept.errand, attempts=0)
        rows.put_errand(evolve(kept, errand=anew, state="waiting", due_at=now))
    return [kept.errand.id for kept in wanted]


def drop(rows: Rows, errand_id: str) -> Sequence[str]:
    """See :meth:`twistedvoice.errands.ErrandStore.drop_errand`."""
    kept = rows.errand(errand_id)
    if kept is None or kept.state == "done":
        return []
    rows.drop_errand(errand_id)
    dropped = [errand_id]
    for each in rows.followers(errand_id):
        dropped += drop(rows, each.errand.id)
    return dropped


def _is_put_off(kept: KeptErrand, now: float) -> bool:
    return kept.state == "parked" or (not kept.holder and kept.due_at > now)


def _held(rows: Rows, ids: Iterable[str], holder: str) -> Iterable[KeptErrand]:
    for errand_id in ids:
        kept = rows.errand(errand_id)
        if kept is not None and kept.holder == holder:
            yield kept


def _found(rows: Rows, errand: Errand) -> Mapping[str, object]:
    before = rows.errand(errand.after) if errand.after else None
    return {} if before is None else before.result
