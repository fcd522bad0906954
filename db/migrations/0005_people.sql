-- People: one account an address whatever its case, claim tokens, and what is looked at each half
-- second to end the sessions of those who were revoked.

CREATE UNIQUE INDEX users_email_folded ON users (lower(email));
CREATE INDEX users_revoked_at ON users (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX api_keys_revoked_at ON api_keys (revoked_at) WHERE revoked_at IS NOT NULL;

-- Only a hash of the token is stored. A row stays when it was used: the token is then told from an
-- unknown one, and from where it was viewed is known.
CREATE TABLE claims (
    hash        bytea PRIMARY KEY,
    user_key    bigint NOT NULL REFERENCES users,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    viewed_at   timestamptz,
    viewed_from text NOT NULL DEFAULT ''
);
CREATE INDEX claims_user ON claims (user_key);
