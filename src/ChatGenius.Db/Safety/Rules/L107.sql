--: name: partitioned-index-blocks-writes
--: severity: error
--: evidence: traced
--: title: An index on a partitioned table is built on all partitions in one statement
--: effect: CREATE INDEX on the parent holds SHARE on it and on every partition until the last one is built. CONCURRENTLY is refused on a partitioned table.
--: advice: Create the index ON ONLY the parent, build one CONCURRENTLY on each partition, and attach them.
--: documentation: ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE

--# bad
CREATE INDEX readings_value_idx ON readings (value);

--# good
CREATE INDEX readings_value_idx ON ONLY readings (value);
--# next
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY IF NOT EXISTS readings_2024_value_idx ON readings_2024 (value);
CREATE INDEX CONCURRENTLY IF NOT EXISTS readings_2025_value_idx ON readings_2025 (value);
--# next
ALTER INDEX readings_value_idx ATTACH PARTITION readings_2024_value_idx;
ALTER INDEX readings_value_idx ATTACH PARTITION readings_2025_value_idx;

--# look-alike: the partitioned table is new
CREATE TABLE events (at date NOT NULL, kind text) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX events_kind_idx ON events (kind);

--# look-alike: one partition is an ordinary table
CREATE INDEX readings_2024_value_idx ON readings_2024 (value);
