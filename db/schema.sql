
CREATE FUNCTION public.tg_audit_is_append_only() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'the audit is append-only';
END
$$;

CREATE FUNCTION public.tg_day(timestamp with time zone) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (floor((EXTRACT(epoch FROM $1) / (86400)::numeric)))::bigint;

CREATE FUNCTION public.tg_drop_partitions(day bigint, max_count bigint) RETURNS bigint
    LANGUAGE plpgsql
    AS $_$
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
$_$;

CREATE FUNCTION public.tg_ensure_partition(day bigint) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.tg_key_is_in_use() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1936024436); -- "seal"
    IF EXISTS (SELECT FROM retired_keys WHERE key_id = NEW.key_id) THEN
        RAISE EXCEPTION 'sealed with a key that was replaced' USING ERRCODE = 'TG001';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION public.tg_retire_key(id text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1936024436);
    INSERT INTO retired_keys (key_id) VALUES (id) ON CONFLICT DO NOTHING;
END
$$;

CREATE FUNCTION public.tg_ts(bigint) RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN ('1970-01-01 00:00:00+00'::timestamp with time zone + (($1)::double precision * '00:00:00.000001'::interval));

CREATE FUNCTION public.tg_us(timestamp with time zone) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN ((EXTRACT(epoch FROM $1) * (1000000)::numeric))::bigint;

CREATE TABLE public.api_keys (
    key_id bigint NOT NULL,
    user_key bigint NOT NULL,
    hash bytea NOT NULL,
    prefix text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone
);

ALTER TABLE public.api_keys ALTER COLUMN key_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.api_keys_key_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.audit (
    audit_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    email text NOT NULL,
    key_id bigint,
    address text DEFAULT ''::text NOT NULL,
    request_id text DEFAULT ''::text NOT NULL,
    action text NOT NULL,
    resource text DEFAULT ''::text NOT NULL,
    result text NOT NULL,
    count integer DEFAULT 1 NOT NULL
);

ALTER TABLE public.audit ALTER COLUMN audit_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.claims (
    hash bytea NOT NULL,
    user_key bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    viewed_at timestamp with time zone,
    viewed_from text DEFAULT ''::text NOT NULL
);

CREATE TABLE public.execution_environments (
    execution_key bigint NOT NULL,
    key_id text NOT NULL,
    sealed bytea NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='1000');
ALTER TABLE ONLY public.execution_environments ALTER COLUMN sealed SET STORAGE EXTERNAL;

CREATE TABLE public.execution_events (
    execution_key bigint NOT NULL,
    version bigint NOT NULL,
    from_status text,
    to_status text NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    cause text NOT NULL,
    request_id text DEFAULT ''::text NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL
);

CREATE SEQUENCE public.execution_n
    START WITH 0
    INCREMENT BY 1
    MINVALUE 0
    MAXVALUE 4294967295
    CACHE 1
    CYCLE;

CREATE TABLE public.executions (
    execution_key bigint NOT NULL,
    execution_id text NOT NULL,
    status text NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    command text NOT NULL,
    image_id text NOT NULL,
    created_by text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    completed_at timestamp with time zone,
    exit_code integer,
    signal integer DEFAULT 0 NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    timeout_s bigint DEFAULT 0 NOT NULL,
    grace_s bigint DEFAULT 10 NOT NULL,
    tty boolean DEFAULT false NOT NULL,
    owner text NOT NULL,
    fence bigint DEFAULT 1 NOT NULL,
    last_seq bigint DEFAULT 0 NOT NULL,
    spool_offset bigint DEFAULT 0 NOT NULL,
    log_bytes bigint DEFAULT 0 NOT NULL,
    created_by_request_id text DEFAULT ''::text NOT NULL,
    modified_by_request_id text DEFAULT ''::text NOT NULL,
    home text DEFAULT ''::text NOT NULL
)
WITH (fillfactor='80');

CREATE TABLE public.gateways (
    gateway_id text NOT NULL,
    host text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    heartbeat_at timestamp with time zone DEFAULT now() NOT NULL,
    lease_ms bigint DEFAULT 10000 NOT NULL,
    up_since timestamp with time zone DEFAULT now() NOT NULL,
    state_dir text DEFAULT ''::text NOT NULL,
    engine text DEFAULT ''::text NOT NULL
);

CREATE TABLE public.idempotency_keys (
    user_key bigint NOT NULL,
    key text NOT NULL,
    body_hash bytea NOT NULL,
    execution_key bigint NOT NULL,
    noted_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.images (
    image_id text NOT NULL,
    image text NOT NULL,
    registry text NOT NULL,
    name text NOT NULL,
    tag text DEFAULT ''::text NOT NULL,
    digest text DEFAULT ''::text NOT NULL,
    task_role_name text DEFAULT ''::text NOT NULL,
    task_execution_role_name text DEFAULT ''::text NOT NULL,
    runtime_platform text DEFAULT ''::text NOT NULL,
    cpu bigint DEFAULT 0 NOT NULL,
    memory bigint DEFAULT 0 NOT NULL,
    is_default boolean DEFAULT false NOT NULL,
    created_by text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by_request_id text DEFAULT ''::text NOT NULL,
    modified_by_request_id text DEFAULT ''::text NOT NULL
);

CREATE TABLE public.log_chunks (
    execution_key bigint NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    raw_bytes integer NOT NULL,
    data bytea NOT NULL
)
PARTITION BY RANGE (execution_key);
ALTER TABLE ONLY public.log_chunks ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE public.log_tail (
    execution_key bigint NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    raw_bytes integer NOT NULL,
    data bytea NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='1000');
ALTER TABLE ONLY public.log_tail ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE public.retired_keys (
    key_id text NOT NULL,
    retired_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.schema_migrations (
    version integer NOT NULL,
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.secrets (
    name text NOT NULL,
    key_name text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    key_id text NOT NULL,
    sealed bytea NOT NULL,
    created_by text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by text NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by_request_id text DEFAULT ''::text NOT NULL,
    modified_by_request_id text DEFAULT ''::text NOT NULL
);
ALTER TABLE ONLY public.secrets ALTER COLUMN sealed SET STORAGE EXTERNAL;

CREATE TABLE public.server_keys (
    name text NOT NULL,
    value bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.tickets (
    hash bytea NOT NULL,
    key_id bigint NOT NULL,
    expires_at timestamp with time zone NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='1000');

CREATE TABLE public.trace_records (
    record_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    request_id text NOT NULL,
    client_request_id text DEFAULT ''::text NOT NULL,
    record text NOT NULL
);

ALTER TABLE public.trace_records ALTER COLUMN record_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.trace_records_record_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.users (
    user_key bigint NOT NULL,
    email text NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    revoked_at timestamp with time zone,
    created_by_request_id text DEFAULT ''::text NOT NULL,
    modified_by_request_id text DEFAULT ''::text NOT NULL,
    CONSTRAINT users_role_check CHECK ((role = ANY (ARRAY['admin'::text, 'operator'::text, 'developer'::text, 'viewer'::text])))
);

ALTER TABLE public.users ALTER COLUMN user_key ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.users_user_key_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_hash_key UNIQUE (hash);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (key_id);

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (audit_id);

ALTER TABLE ONLY public.claims
    ADD CONSTRAINT claims_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.execution_environments
    ADD CONSTRAINT execution_environments_pkey PRIMARY KEY (execution_key);

ALTER TABLE ONLY public.execution_events
    ADD CONSTRAINT execution_events_pkey PRIMARY KEY (execution_key, version);

ALTER TABLE ONLY public.executions
    ADD CONSTRAINT executions_execution_id_key UNIQUE (execution_id);

ALTER TABLE ONLY public.executions
    ADD CONSTRAINT executions_pkey PRIMARY KEY (execution_key);

ALTER TABLE ONLY public.gateways
    ADD CONSTRAINT gateways_pkey PRIMARY KEY (gateway_id);

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (user_key, key);

ALTER TABLE ONLY public.images
    ADD CONSTRAINT images_pkey PRIMARY KEY (image_id);

ALTER TABLE ONLY public.log_chunks
    ADD CONSTRAINT log_chunks_pkey PRIMARY KEY (execution_key, first_seq);

ALTER TABLE ONLY public.log_tail
    ADD CONSTRAINT log_tail_pkey PRIMARY KEY (execution_key, first_seq);

ALTER TABLE ONLY public.retired_keys
    ADD CONSTRAINT retired_keys_pkey PRIMARY KEY (key_id);

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.secrets
    ADD CONSTRAINT secrets_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.server_keys
    ADD CONSTRAINT server_keys_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.tickets
    ADD CONSTRAINT tickets_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.trace_records
    ADD CONSTRAINT trace_records_pkey PRIMARY KEY (record_id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_key UNIQUE (email);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (user_key);

CREATE INDEX api_keys_revoked_at ON public.api_keys USING btree (revoked_at) WHERE (revoked_at IS NOT NULL);

CREATE INDEX api_keys_user ON public.api_keys USING btree (user_key);

CREATE INDEX claims_user ON public.claims USING btree (user_key);

CREATE INDEX execution_environments_key_id ON public.execution_environments USING btree (key_id);

CREATE INDEX execution_events_request ON public.execution_events USING btree (request_id) WHERE (request_id <> ''::text);

CREATE INDEX execution_events_xid ON public.execution_events USING btree (xid);

CREATE INDEX executions_created_by ON public.executions USING btree (created_by, execution_key DESC);

CREATE INDEX executions_live ON public.executions USING btree (owner) WHERE (status = ANY (ARRAY['PENDING'::text, 'STARTING'::text, 'RUNNING'::text, 'TERMINATING'::text]));

CREATE INDEX executions_queue ON public.executions USING btree (execution_key) WHERE (status = 'PENDING'::text);

CREATE INDEX executions_request ON public.executions USING btree (created_by_request_id) WHERE (created_by_request_id <> ''::text);

CREATE INDEX executions_running ON public.executions USING btree (created_by) WHERE (status = ANY (ARRAY['STARTING'::text, 'RUNNING'::text, 'TERMINATING'::text]));

CREATE INDEX idempotency_keys_execution ON public.idempotency_keys USING btree (execution_key);

CREATE INDEX idempotency_keys_noted_at ON public.idempotency_keys USING btree (noted_at);

CREATE INDEX images_image ON public.images USING btree (image);

CREATE INDEX images_name ON public.images USING btree (name, tag);

CREATE UNIQUE INDEX images_one_default ON public.images USING btree (is_default) WHERE is_default;

CREATE INDEX secrets_created_by ON public.secrets USING btree (created_by);

CREATE INDEX secrets_key_id ON public.secrets USING btree (key_id);

CREATE INDEX tickets_expires_at ON public.tickets USING btree (expires_at);

CREATE INDEX tickets_key ON public.tickets USING btree (key_id);

CREATE INDEX trace_records_at ON public.trace_records USING btree (at);

CREATE INDEX trace_records_client ON public.trace_records USING btree (client_request_id) WHERE (client_request_id <> ''::text);

CREATE INDEX trace_records_request ON public.trace_records USING btree (request_id, record_id);

CREATE UNIQUE INDEX users_email_folded ON public.users USING btree (lower(email));

CREATE INDEX users_revoked_at ON public.users USING btree (revoked_at) WHERE (revoked_at IS NOT NULL);

CREATE TRIGGER audit_rows_stay BEFORE DELETE OR UPDATE ON public.audit FOR EACH ROW EXECUTE FUNCTION public.tg_audit_is_append_only();

CREATE TRIGGER audit_stays BEFORE TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION public.tg_audit_is_append_only();

CREATE TRIGGER execution_environments_key BEFORE INSERT OR UPDATE OF key_id ON public.execution_environments FOR EACH ROW EXECUTE FUNCTION public.tg_key_is_in_use();

CREATE TRIGGER secrets_key BEFORE INSERT OR UPDATE OF key_id ON public.secrets FOR EACH ROW EXECUTE FUNCTION public.tg_key_is_in_use();

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_user_key_fkey FOREIGN KEY (user_key) REFERENCES public.users(user_key);

ALTER TABLE ONLY public.claims
    ADD CONSTRAINT claims_user_key_fkey FOREIGN KEY (user_key) REFERENCES public.users(user_key);

ALTER TABLE ONLY public.execution_environments
    ADD CONSTRAINT execution_environments_execution_key_fkey FOREIGN KEY (execution_key) REFERENCES public.executions(execution_key) ON DELETE CASCADE;

ALTER TABLE ONLY public.execution_events
    ADD CONSTRAINT execution_events_execution_key_fkey FOREIGN KEY (execution_key) REFERENCES public.executions(execution_key) ON DELETE CASCADE;

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_execution_key_fkey FOREIGN KEY (execution_key) REFERENCES public.executions(execution_key) ON DELETE CASCADE;

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_user_key_fkey FOREIGN KEY (user_key) REFERENCES public.users(user_key) ON DELETE CASCADE;

ALTER TABLE ONLY public.tickets
    ADD CONSTRAINT tickets_key_id_fkey FOREIGN KEY (key_id) REFERENCES public.api_keys(key_id) ON DELETE CASCADE;

