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
    result     text NOT NULL
);
