# -*- test-case-name: tests.store.test_sqlite -*-
"""The SQL of the SQLite store: each row operation as one statement.

It runs inside a transaction that someone else began, in the thread of the connection.
The tables are in ``schema/``.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import asdict, frozen

from ..interfaces import Lease, Reservation
from .rows import KeptReservation
from .sqlite_errands import SqliteErrands

__all__ = ["SqliteRows"]

#: So many records are kept, the newest.
_MOST_CDRS = 100_000


@frozen
class SqliteRows(SqliteErrands):
    """The rows of one open transaction; see :class:`twistedvoice.store.rows.Rows`."""

    def sweep(self, now: float) -> None:
        self.connection.execute("DELETE FROM reservations WHERE expires_at <= ?", [now])
        self.connection.execute("DELETE FROM leases WHERE expires_at <= ?", [now])

    def places(self, now: float) -> int:
        [count] = self.connection.execute(
            "SELECT count(*) FROM ("
            " SELECT call_id FROM reservations WHERE expires_at > ? AND NOT claimed"
            " UNION SELECT call_id FROM leases WHERE expires_at > ?)",
            [now, now],
        ).fetchone()
        return int(count)

    def reservation(self, call_id: str) -> KeptReservation | None:
        row = self.connection.execute(
            "SELECT account_id, token, idempotency, from_number, to_number,"
            " expires_at, claimed FROM reservations WHERE call_id = ?",
            [call_id],
        ).fetchone()
        if row is None:
            return None
        reservation = Reservation(
            call_id=call_id,
            account_id=row[0],
            token=row[1],
            idempotency=row[2],
            from_number=row[3],
            to_number=row[4],
            expires_at=row[5],
        )
        return KeptReservation(reservation, claimed=bool(row[6]))

    def put_reservation(self, kept: KeptReservation) -> None:
        self.connection.execute(
            "INSERT OR REPLACE INTO reservations (call_id, account_id, token,"
            " idempotency, from_number, to_number, expires_at, claimed)"
            " VALUES (:call_id, :account_id, :token, :idempotency, :from_number,"
            " :to_number, :expires_at, :claimed)",
            {**asdict(kept.reservation), "claimed": kept.claimed},
        )

    def drop_reservation(self, call_id: str) -> None:
        self.connection.execute("DELETE FROM reservations WHERE call_id = ?", [call_id])

    def lease(self, call_id: str) -> Lease | None:
        row = self.connection.execute(
            "SELECT holder, expires_at FROM leases WHERE call_id = ?", [call_id]
        ).fetchone()
        if row is None:
            return None
        holder, expires_at = row
        return Lease(call_id=call_id, holder=holder, expires_at=expires_at)

    def put_lease(self, lease: Lease) -> None:
        self.connection.execute(
            "INSERT OR REPLACE INTO leases (call_id, holder, expires_at)"
            " VALUES (:call_id, :holder, :expires_at)",
            asdict(lease),
        )

    def drop_lease(self, call_id: str, holder: str) -> None:
        self.connection.execute(
            "DELETE FROM leases WHERE call_id = ? AND holder = ?", [call_id, holder]
        )

    def put_cdr(self, session_id: str, cdr: str) -> None:
        replaced = self.connection.execute(
            "UPDATE cdrs SET cdr = ? WHERE session_id = ?", [cdr, session_id]
        )
        if replaced.rowcount:
            return
        # An INSERT that finds a conflict would use up a number, and a record with it.
        added = self.connection.execute(
            "INSERT INTO cdrs (session_id, cdr) VALUES (?, ?)", [session_id, cdr]
        )
        oldest = (added.lastrowid or 0) - _MOST_CDRS
        self.connection.execute("DELETE FROM cdrs WHERE number <= ?", [oldest])

    def cdr(self, session_id: str) -> str | None:
        row = self.connection.execute(
            "SELECT cdr FROM cdrs WHERE session_id = ?", [session_id]
        ).fetchone()
        return None if row is None else str(row[0])

    def cdrs(self, limit: int) -> Sequence[str]:
        rows = self.connection.execute(
            "SELECT cdr FROM cdrs ORDER BY number DESC LIMIT ?", [limit]
        )
        return [cdr for (cdr,) in rows]
