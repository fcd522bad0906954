-- Who changed an execution when, in PostgreSQL's own order: the transaction's number beside each
-- event. What a snapshot does not show yet is exactly what a later one adds, however late its commit.
ALTER TABLE execution_events ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX execution_events_xid ON execution_events (xid);
