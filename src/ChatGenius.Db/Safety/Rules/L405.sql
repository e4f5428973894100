--: name: create-partition-locks-parent
--: severity: warning
--: evidence: traced
--: title: A partition is created while the whole table is locked out
--: effect: CREATE TABLE … PARTITION OF takes ACCESS EXCLUSIVE on the parent. ATTACH PARTITION needs SHARE UPDATE EXCLUSIVE only (PostgreSQL 12).
--: advice: Create the table like the parent with a CHECK that says the bounds, then attach it.
--: documentation: ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE

--# bad, traced
CREATE TABLE readings_2026 PARTITION OF readings FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

--# good
CREATE TABLE readings_2026 (LIKE readings INCLUDING ALL, CONSTRAINT readings_2026_bounds CHECK (day >= '2026-01-01' AND day < '2027-01-01'));
ALTER TABLE readings ATTACH PARTITION readings_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
ALTER TABLE readings_2026 DROP CONSTRAINT readings_2026_bounds;

--# look-alike: the parent is new
CREATE TABLE events (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

--# look-alike: LIKE takes no lock that anyone notices
CREATE TABLE readings_copy (LIKE readings);
