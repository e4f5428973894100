-- ==== 0006_create_partitioned_audit_events.sql
-- migrate:up

-- A key or unique constraint of a partitioned table has to contain created_at.
CREATE TABLE IF NOT EXISTS audit_events (
    id          UUID NOT NULL DEFAULT gen_random_uuid(),
    actor_id    UUID NOT NULL,
    action      TEXT NOT NULL,
    created_at  TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id, created_at),
    CONSTRAINT audit_events_actor_id_fkey FOREIGN KEY (actor_id) REFERENCES users (id) ON DELETE CASCADE
) PARTITION BY RANGE (created_at);

-- Make the partitions of the coming months before they begin: rows that land in the default one have to be moved.
CREATE TABLE IF NOT EXISTS audit_events_2026_11 PARTITION OF audit_events
    FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');
CREATE TABLE IF NOT EXISTS audit_events_2026_12 PARTITION OF audit_events
    FOR VALUES FROM ('2026-12-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');
CREATE TABLE IF NOT EXISTS audit_events_2027_01 PARTITION OF audit_events
    FOR VALUES FROM ('2027-01-01 00:00:00+00') TO ('2027-02-01 00:00:00+00');
CREATE TABLE IF NOT EXISTS audit_events_default PARTITION OF audit_events DEFAULT;

CREATE INDEX IF NOT EXISTS audit_events_actor_id_idx ON audit_events (actor_id);

-- migrate:down

DROP TABLE IF EXISTS audit_events;
