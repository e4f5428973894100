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
