--# bad
ALTER TABLE readings DETACH PARTITION readings_2024;

--# good
-- migrate:up transaction:false
ALTER TABLE readings DETACH PARTITION readings_2024 CONCURRENTLY;

--# look-alike: the parent is new
CREATE TABLE events (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
ALTER TABLE events DETACH PARTITION events_2025;

--# look-alike: the partition is dropped, a hazard of another name
DROP TABLE readings_2024;
