-- Runs: what each needs besides its row, the queue, and the names that clients gave to requests.

-- Variables, secrets, repository and image of an execution, sealed as one; there until it has ended.
CREATE TABLE execution_environments (
    execution_key bigint PRIMARY KEY REFERENCES executions ON DELETE CASCADE,
    key_id        text NOT NULL,
    sealed        bytea NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
ALTER TABLE execution_environments ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE INDEX execution_environments_key_id ON execution_environments (key_id);
CREATE TRIGGER execution_environments_key BEFORE INSERT OR UPDATE OF key_id ON execution_environments
    FOR EACH ROW EXECUTE FUNCTION tg_key_is_in_use();

-- Executions that wait have no owner: whichever gateway has a place for one takes it.
CREATE INDEX executions_queue ON executions (execution_key) WHERE status = 'PENDING';
CREATE INDEX executions_running ON executions (created_by)
    WHERE status IN ('STARTING', 'RUNNING', 'TERMINATING');

CREATE TABLE idempotency_keys (
    user_key      bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    key           text NOT NULL,
    body_hash     bytea NOT NULL,
    execution_key bigint NOT NULL REFERENCES executions ON DELETE CASCADE,
    noted_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_key, key)
);
CREATE INDEX idempotency_keys_noted_at ON idempotency_keys (noted_at);
CREATE INDEX idempotency_keys_execution ON idempotency_keys (execution_key);
