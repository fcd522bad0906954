-- The audit: every change and every refusal. Rows are only ever added.

CREATE TABLE audit (
    audit_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    email      text NOT NULL,
    key_id     bigint,
    address    text NOT NULL DEFAULT '',
    request_id text NOT NULL DEFAULT '',
    action     text NOT NULL,
    resource   text NOT NULL DEFAULT '',
    result     text NOT NULL,
    count      integer NOT NULL DEFAULT 1 -- refusals of one kind in a row are one entry
);

CREATE FUNCTION tg_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit is append-only';
END
$$;
CREATE TRIGGER audit_rows_stay BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION tg_audit_is_append_only();
CREATE TRIGGER audit_stays BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION tg_audit_is_append_only();

-- The servers' own log records that carry a request's id.
CREATE TABLE trace_records (
    record_id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at                timestamptz NOT NULL,
    request_id        text NOT NULL,
    client_request_id text NOT NULL DEFAULT '',
    record            text NOT NULL
);
CREATE INDEX trace_records_request ON trace_records (request_id, record_id);
CREATE INDEX trace_records_client ON trace_records (client_request_id) WHERE client_request_id <> '';
CREATE INDEX trace_records_at ON trace_records (at);

-- A trace finds what a request made or changed.
CREATE INDEX executions_request ON executions (created_by_request_id)
    WHERE created_by_request_id <> '';
CREATE INDEX execution_events_request ON execution_events (request_id) WHERE request_id <> '';

-- Images: what commands run in. An engine's own image (`host`) is no row.

CREATE TABLE images (
    image_id                 text PRIMARY KEY,
    image                    text NOT NULL,
    registry                 text NOT NULL,
    name                     text NOT NULL,
    tag                      text NOT NULL DEFAULT '',
    digest                   text NOT NULL DEFAULT '',
    task_role_name           text NOT NULL DEFAULT '',
    task_execution_role_name text NOT NULL DEFAULT '',
    runtime_platform         text NOT NULL DEFAULT '',
    cpu                      bigint NOT NULL DEFAULT 0,
    memory                   bigint NOT NULL DEFAULT 0,
    is_default               boolean NOT NULL DEFAULT false,
    created_by               text NOT NULL,
    created_at               timestamptz NOT NULL DEFAULT now(),
    created_by_request_id    text NOT NULL DEFAULT '',
    modified_by_request_id   text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX images_one_default ON images (is_default) WHERE is_default;
CREATE INDEX images_name ON images (name, tag);
CREATE INDEX images_image ON images (image);
