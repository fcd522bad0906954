-- Secrets: values that only the gateways' key file opens. key_id names the key that sealed one.

CREATE TABLE secrets (
    name                    text PRIMARY KEY,
    key_name                text NOT NULL,
    description             text NOT NULL DEFAULT '',
    key_id                  text NOT NULL,
    sealed                  bytea NOT NULL,
    created_by              text NOT NULL,
    created_at              timestamptz NOT NULL DEFAULT now(),
    updated_by              text NOT NULL,
    updated_at              timestamptz NOT NULL DEFAULT now(),
    created_by_request_id   text NOT NULL DEFAULT '',
    modified_by_request_id  text NOT NULL DEFAULT ''
);
ALTER TABLE secrets ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE INDEX secrets_created_by ON secrets (created_by);
CREATE INDEX secrets_key_id ON secrets (key_id);

-- Keys that were replaced: nothing is sealed with them any more, so that what they sealed can be
-- sealed anew and they can be thrown away.
CREATE TABLE retired_keys (
    key_id     text PRIMARY KEY,
    retired_at timestamptz NOT NULL DEFAULT now()
);

-- Whoever stores sealed bytes shares this lock; a rotation takes it alone, and so waits for those who
-- looked here before it. The look comes behind the lock, in a statement of its own, which sees what
-- was committed meanwhile.
CREATE FUNCTION tg_key_is_in_use() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1936024436); -- "seal"
    IF EXISTS (SELECT FROM retired_keys WHERE key_id = NEW.key_id) THEN
        RAISE EXCEPTION 'sealed with a key that was replaced' USING ERRCODE = 'TG001';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER secrets_key BEFORE INSERT OR UPDATE OF key_id ON secrets
    FOR EACH ROW EXECUTE FUNCTION tg_key_is_in_use();

CREATE FUNCTION tg_retire_key(id text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1936024436);
    INSERT INTO retired_keys (key_id) VALUES (id) ON CONFLICT DO NOTHING;
END
$$;
