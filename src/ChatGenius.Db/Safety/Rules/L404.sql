--: name: detach-partition-blocks
--: severity: error
--: evidence: traced
--: title: A partition is detached while the whole table is locked out
--: effect: DETACH PARTITION takes ACCESS EXCLUSIVE on the parent: no query of any partition runs until it has come and gone.
--: advice: DETACH PARTITION … CONCURRENTLY (PostgreSQL 14), in a file of its own with transaction:false.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-DETACH-PARTITION

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
