--: name: default-partition-scan
--: severity: error
--: evidence: traced
--: title: The DEFAULT partition is read whole, locked out, to make room for another
--: effect: A new partition may take nothing that the DEFAULT partition holds, so all its rows are tested under ACCESS EXCLUSIVE on it.
--: advice: Keep the DEFAULT partition empty, or give it a valid CHECK that excludes the new bounds.
--: documentation: ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE

--# given
CREATE TABLE readings_rest PARTITION OF readings DEFAULT;
INSERT INTO readings SELECT date '2030-01-01' + n, n FROM generate_series(0, 99) n;

--# bad, traced, L405
CREATE TABLE readings_2026 PARTITION OF readings FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

--# good
ALTER TABLE readings_rest ADD CONSTRAINT readings_rest_excludes CHECK (NOT (day >= '2026-01-01' AND day < '2027-01-01')) NOT VALID;
--# next
ALTER TABLE readings_rest VALIDATE CONSTRAINT readings_rest_excludes;
--# next
CREATE TABLE readings_2026 (LIKE readings);
ALTER TABLE readings ATTACH PARTITION readings_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

--# look-alike: the default partition is empty
TRUNCATE readings_rest;
--# next
CREATE TABLE readings_2026 PARTITION OF readings FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

--# look-alike: another partitioned table is meant
CREATE TABLE events (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
