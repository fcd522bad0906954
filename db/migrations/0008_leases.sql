-- Leases: a gateway renews its own by the database's clock; where its runs are to be found by others.

ALTER TABLE gateways
    ADD COLUMN lease_ms  bigint NOT NULL DEFAULT 10000,
    ADD COLUMN up_since  timestamptz NOT NULL DEFAULT now(), -- it has held its lease from then on
    ADD COLUMN state_dir text NOT NULL DEFAULT '',
    ADD COLUMN engine    text NOT NULL DEFAULT '';

-- The gateway in whose state directory the run is, once another one has taken it over; '' = its owner.
ALTER TABLE executions ADD COLUMN home text NOT NULL DEFAULT '';
