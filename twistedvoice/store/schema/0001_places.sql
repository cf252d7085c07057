-- Times are seconds since the epoch.

-- A place kept between webhook and stream. It stays, claimed, until it expires, so
-- that a retried webhook is answered as before.
CREATE TABLE reservations (
    call_id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL,
    token TEXT NOT NULL,
    idempotency TEXT NOT NULL,
    from_number TEXT NOT NULL,
    to_number TEXT NOT NULL,
    expires_at REAL NOT NULL,
    claimed INTEGER NOT NULL
);

CREATE INDEX reservations_by_end ON reservations (expires_at);

-- The right of one process to carry one call.
CREATE TABLE leases (
    call_id TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    expires_at REAL NOT NULL
);

CREATE INDEX leases_by_end ON leases (expires_at);

-- Finished calls, as JSON; the highest number is the newest.
CREATE TABLE cdrs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id TEXT NOT NULL UNIQUE,
    cdr TEXT NOT NULL
);
