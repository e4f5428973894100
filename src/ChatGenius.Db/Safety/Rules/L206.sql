--: name: attach-partition-scan
--: severity: error
--: evidence: traced
--: title: A table is read whole, locked out, to become a partition
--: effect: ATTACH PARTITION tests every row against the bounds under ACCESS EXCLUSIVE on the table, unless a valid CHECK constraint already proves them.
--: advice: Add a CHECK that says the same as the bounds (NOT VALID, then VALIDATE), attach, and drop it.
--: documentation: ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE

--# given
CREATE TABLE readings_2026 (day date NOT NULL, value int);
INSERT INTO readings_2026 SELECT date '2026-01-01' + n, n FROM generate_series(0, 99) n;

--# bad, traced
ALTER TABLE readings ATTACH PARTITION readings_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

--# good, traced
ALTER TABLE readings_2026 ADD CONSTRAINT readings_2026_bounds CHECK (day >= '2026-01-01' AND day < '2027-01-01') NOT VALID;
--# next
ALTER TABLE readings_2026 VALIDATE CONSTRAINT readings_2026_bounds;
--# next
ALTER TABLE readings ATTACH PARTITION readings_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

--# look-alike, traced: the table is new
CREATE TABLE readings_2027 (LIKE readings);
ALTER TABLE readings ATTACH PARTITION readings_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');

--# look-alike: an index is attached, not a table
CREATE INDEX readings_value_idx ON ONLY readings (value);
