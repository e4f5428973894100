-- ==== 0006_partition_visits_by_visited_at.sql
-- migrate:up

-- A key or unique constraint of a partitioned table has to contain visited_at.
CREATE TABLE IF NOT EXISTS visits (
    id          UUID NOT NULL DEFAULT gen_random_uuid(),
    path        TEXT NOT NULL,
    visited_at  TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at  TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id, visited_at)
) PARTITION BY RANGE (visited_at);

-- Make the partitions of the coming months before they begin: rows that land in the default one have to be moved.
CREATE TABLE IF NOT EXISTS visits_2026_11 PARTITION OF visits
    FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');
CREATE TABLE IF NOT EXISTS visits_2026_12 PARTITION OF visits
    FOR VALUES FROM ('2026-12-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');
CREATE TABLE IF NOT EXISTS visits_2027_01 PARTITION OF visits
    FOR VALUES FROM ('2027-01-01 00:00:00+00') TO ('2027-02-01 00:00:00+00');
CREATE TABLE IF NOT EXISTS visits_default PARTITION OF visits DEFAULT;

-- migrate:down

DROP TABLE IF EXISTS visits;
