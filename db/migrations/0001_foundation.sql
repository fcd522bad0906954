-- The foundation: gateways, users, keys, executions with their history, and their logs.
-- Times are timestamptz; tg_us and tg_ts turn them into microseconds since the epoch and back exactly.
-- STABLE as what they call is, and not STRICT (NULL comes out as NULL anyway): so they are inlined.

CREATE FUNCTION tg_us(timestamptz) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (extract(epoch FROM $1) * 1000000)::bigint;
CREATE FUNCTION tg_ts(bigint) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    RETURN '1970-01-01 00:00:00+00'::timestamptz + $1 * interval '1 microsecond';

CREATE TABLE server_keys (
    name       text PRIMARY KEY,
    value      bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
    user_key                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email                   text NOT NULL UNIQUE,
    role                    text NOT NULL CHECK (role IN ('admin', 'operator', 'developer', 'viewer')),
    created_at              timestamptz NOT NULL DEFAULT now(),
    revoked_at              timestamptz,
    created_by_request_id   text NOT NULL DEFAULT '',
    modified_by_request_id  text NOT NULL DEFAULT ''
);

CREATE TABLE api_keys (
    key_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_key     bigint NOT NULL REFERENCES users,
    hash         bytea NOT NULL UNIQUE,
    prefix       text NOT NULL,
    description  text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    revoked_at   timestamptz
);
CREATE INDEX api_keys_user ON api_keys (user_key);

CREATE TABLE gateways (
    gateway_id   text PRIMARY KEY,
    host         text NOT NULL,
    started_at   timestamptz NOT NULL DEFAULT now(),
    heartbeat_at timestamptz NOT NULL DEFAULT now()
);

-- execution_key = days since the epoch (UTC) << 32 | n. n comes from one sequence for all days.
CREATE FUNCTION tg_day(timestamptz) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    RETURN floor(extract(epoch FROM $1) / 86400)::bigint;
CREATE SEQUENCE execution_n AS bigint MINVALUE 0 MAXVALUE 4294967295 CYCLE;

CREATE TABLE executions (
    execution_key           bigint PRIMARY KEY,
    execution_id            text NOT NULL UNIQUE,
    status                  text NOT NULL,
    version                 bigint NOT NULL DEFAULT 1,
    command                 text NOT NULL,
    image_id                text NOT NULL,
    created_by              text NOT NULL,
    created_at              timestamptz NOT NULL,
    completed_at            timestamptz,
    exit_code               integer,
    signal                  integer NOT NULL DEFAULT 0,
    reason                  text NOT NULL DEFAULT '',
    timeout_s               bigint NOT NULL DEFAULT 0,
    grace_s                 bigint NOT NULL DEFAULT 10,
    tty                     boolean NOT NULL DEFAULT false,
    owner                   text NOT NULL,
    fence                   bigint NOT NULL DEFAULT 1,
    last_seq                bigint NOT NULL DEFAULT 0,
    spool_offset            bigint NOT NULL DEFAULT 0,
    log_bytes               bigint NOT NULL DEFAULT 0,
    created_by_request_id   text NOT NULL DEFAULT '',
    modified_by_request_id  text NOT NULL DEFAULT ''
) WITH (fillfactor = 80);
-- Few rows are live at a time: this index finds them without reading the ended ones.
CREATE INDEX executions_live ON executions (owner)
    WHERE status IN ('PENDING', 'STARTING', 'RUNNING', 'TERMINATING');
CREATE INDEX executions_created_by ON executions (created_by, execution_key DESC);

-- Every change of state: when, why and by which request.
CREATE TABLE execution_events (
    execution_key bigint NOT NULL REFERENCES executions ON DELETE CASCADE,
    version       bigint NOT NULL,
    from_status   text,
    to_status     text NOT NULL,
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    cause         text NOT NULL,
    request_id    text NOT NULL DEFAULT '',
    PRIMARY KEY (execution_key, version)
);

-- Full chunks. Partitions cover one day each and are named log_chunks_YYYYMMDD.
CREATE TABLE log_chunks (
    execution_key bigint NOT NULL,
    first_seq     bigint NOT NULL,
    last_seq      bigint NOT NULL,
    raw_bytes     integer NOT NULL,
    data          bytea NOT NULL,
    PRIMARY KEY (execution_key, first_seq)
) PARTITION BY RANGE (execution_key);
ALTER TABLE log_chunks ALTER COLUMN data SET STORAGE EXTERNAL;

-- Small chunks of slow streams wait here until they are merged into full ones. The table stays small
-- and is vacuumed often, so what was merged leaves no space behind.
CREATE TABLE log_tail (
    execution_key bigint NOT NULL,
    first_seq     bigint NOT NULL,
    last_seq      bigint NOT NULL,
    raw_bytes     integer NOT NULL,
    data          bytea NOT NULL,
    PRIMARY KEY (execution_key, first_seq)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
ALTER TABLE log_tail ALTER COLUMN data SET STORAGE EXTERNAL;

-- Makes the partition of one day (days since the epoch): created apart, then attached, which locks
-- the parent only shortly. True when it was made now.
CREATE FUNCTION tg_ensure_partition(day bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    part text := 'log_chunks_' || to_char('1970-01-01'::date + day::integer, 'YYYYMMDD');
BEGIN
    IF to_regclass(part) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(1952541804, day::integer);
    -- Not to_regclass again: it would answer from this session's cache, as before the lock.
    IF EXISTS (SELECT FROM pg_inherits JOIN pg_class ON oid = inhrelid
                WHERE inhparent = 'log_chunks'::regclass AND relname = part) THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE log_chunks INCLUDING ALL)', part);
    EXECUTE format('ALTER TABLE log_chunks ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                   part, day << 32, (day + 1) << 32);
    RETURN true;
END
$$;

-- Drops the partitions of days before `day`, and those days' rows in log_tail, but for days on which
-- an execution is still live: its lines stay whole. Never today's. At most `max_count`, the oldest
-- first, for each takes a few locks until the commit. What holds the parent for longer than 2 s
-- makes it fail: writers queue up behind the lock that is waited for.
CREATE FUNCTION tg_drop_partitions(day bigint, max_count bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    today   bigint := tg_day(now());
    edge    bigint := least(tg_drop_partitions.day, today);
    dropped bigint := 0;
    part    record;
BEGIN
    PERFORM set_config('lock_timeout', '2000', true);
    FOR part IN
        SELECT p.name, p.day FROM (
            SELECT c.relname AS name, to_date(right(c.relname, 8), 'YYYYMMDD') - '1970-01-01'::date AS day
            FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'log_chunks'::regclass AND c.relname ~ '^log_chunks_[0-9]{8}$') p
        WHERE p.day < edge
          AND NOT EXISTS (SELECT FROM executions e
                          WHERE e.status IN ('PENDING', 'STARTING', 'RUNNING', 'TERMINATING')
                            AND e.execution_key >> 32 = p.day)
        ORDER BY p.day LIMIT max_count
    LOOP
        DELETE FROM log_tail WHERE execution_key >= part.day::bigint << 32
                               AND execution_key < (part.day::bigint + 1) << 32;
        EXECUTE format('ALTER TABLE log_chunks DETACH PARTITION %I', part.name);
        EXECUTE format('DROP TABLE %I', part.name);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;
