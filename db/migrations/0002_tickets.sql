-- Tickets: what a browser, which cannot send headers with a WebSocket's upgrade, shows instead of its
-- key. Only a hash is stored; redeeming one deletes its row, so it is used once, at any gateway.

CREATE TABLE tickets (
    hash       bytea PRIMARY KEY,
    key_id     bigint NOT NULL REFERENCES api_keys ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX tickets_key ON tickets (key_id);
CREATE INDEX tickets_expires_at ON tickets (expires_at);
