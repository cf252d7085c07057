-- What is to be done after calls, and what was done.
CREATE TABLE errands (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    session_id TEXT NOT NULL,
    details TEXT NOT NULL, -- JSON
    follows TEXT NOT NULL, -- the id of the one before it, or empty
    attempts INTEGER NOT NULL,
    state TEXT NOT NULL, -- waiting, blocked, parked, done
    posted_at REAL NOT NULL,
    due_at REAL NOT NULL,
    holder TEXT NOT NULL,
    reason TEXT NOT NULL,
    result TEXT NOT NULL -- JSON
);

CREATE INDEX errands_by_due ON errands (state, kind, due_at, posted_at);

CREATE INDEX errands_by_before ON errands (follows) WHERE follows != '';

CREATE INDEX errands_by_end ON errands (due_at) WHERE state = 'done';
