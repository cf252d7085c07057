# -*- test-case-name: tests.store.test_sqlite -*-
"""The SQL of errands: the part of :mod:`.sqlite_rows` that is about them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from attrs import frozen

from ..errands import Errand, ErrandState, KeptErrand, Tally

__all__ = ["SqliteErrands"]

#: So many are swept at a go: the calls that come in wait for it.
_MOST_SWEPT = 500

_COLUMNS = (
    "id, kind, session_id, details, follows, attempts, state, posted_at, due_at,"
    " holder, reason, result"
)


@frozen
class SqliteErrands:
    """See :class:`twistedvoice.store.rows.Rows`."""

    connection: sqlite3.Connection

    def errand(self, errand_id: str) -> KeptErrand | None:
        found = self._select("WHERE id = ?", [errand_id])
        return found[0] if found else None

    def followers(self, errand_id: str) -> Sequence[KeptErrand]:
        return self._select("WHERE follows = ? AND follows != ''", [errand_id])

    def put_errand(self, kept: KeptErrand) -> None:
        errand = kept.errand
        self.connection.execute(
            f"INSERT OR REPLACE INTO errands ({_COLUMNS})"  # noqa: S608
            f" VALUES ({', '.join('?' * 12)})",
            [
                *(errand.id, errand.kind, errand.session_id),
                *(json.dumps(errand.details), errand.after, errand.attempts),
                *(kept.state, kept.posted_at, kept.due_at, kept.holder, kept.reason),
                json.dumps(kept.result),
            ],
        )

    def drop_errand(self, errand_id: str) -> None:
        self.connection.execute("DELETE FROM errands WHERE id = ?", [errand_id])

    def due_errands(
        self, kinds: Collection[str], limit: int, now: float
    ) -> Sequence[KeptErrand]:
        return self._select(
            f"WHERE state = 'waiting' AND kind IN ({', '.join('?' * len(kinds))})"
            " AND due_at <= ? ORDER BY due_at, id LIMIT ?",
            [*kinds, now, limit],
        )

    def errands(
        self, states: Sequence[ErrandState], limit: int | None
    ) -> Sequence[KeptErrand]:
        return self._select(
            f"WHERE state IN ({', '.join('?' * len(states))})"
            " ORDER BY posted_at, id LIMIT ?",
            [*states, -1 if limit is None else limit],
        )

    def sessions(self, states: Sequence[ErrandState]) -> Collection[str]:
        rows = self.connection.execute(
            "SELECT DISTINCT session_id FROM errands"  # noqa: S608
            f" WHERE state IN ({', '.join('?' * len(states))})",
            list(states),
        )
        return {session_id for (session_id,) in rows}

    def tally_errands(self) -> Tally:
        rows = self.connection.execute(
            "SELECT state, count(*), min(posted_at) FROM errands"
            " WHERE state IN ('waiting', 'blocked', 'parked') GROUP BY state"
        )
        counts, oldest = dict[str, int](), dict[str, float]()
        for state, count, posted_at in rows:
            counts[state], oldest[state] = count, posted_at
        return Tally(
            waiting=counts.get("waiting", 0) + counts.get("blocked", 0),
            parked=counts.get("parked", 0),
            oldest_at=oldest.get("waiting"),
        )

    def sweep_errands(self, before: float) -> None:
        self.connection.execute(
            "DELETE FROM errands WHERE rowid IN (SELECT rowid FROM errands AS old"
            " WHERE state = 'done' AND due_at < ? AND NOT EXISTS (SELECT 1 FROM errands"
            " WHERE follows = old.id AND follows != '' AND state != 'done')"
            " ORDER BY due_at LIMIT ?)",
            [before, _MOST_SWEPT],
        )

    def _select(self, rest: str, values: Iterable[Any]) -> Sequence[KeptErrand]:
        rows = self.connection.execute(
            f"SELECT {_COLUMNS} FROM errands {rest}",  # noqa: S608
            list(values),
        )
        return [_kept(row) for row in rows]


def _kept(row: Sequence[Any]) -> KeptErrand:
    """:returns: what a row keeps; one that somebody else wrote over is parked."""
    details, result = _json(row[3]), _json(row[11])
    is_whole = isinstance(row[5], int) and None not in (details, result)
    return KeptErrand(
        errand=Errand(
            id=row[0],
            kind=row[1],
            session_id=row[2],
            details=details or {},
            after=row[4],
            attempts=row[5] if is_whole else 0,
        ),
        state=row[6] if is_whole else "parked",
        posted_at=row[7],
        due_at=row[8],
        holder=row[9],
        reason=row[10] if is_whole else "its row in the store cannot be read; drop it",
        result=result or {},
    )


def _json(text: Any) -> dict[str, object] | None:
    try:
        value = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
