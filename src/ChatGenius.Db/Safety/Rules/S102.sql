--: name: invalid-index
--: severity: error
--: evidence: catalog
--: title: An invalid index is left behind
--: effect: A concurrent build failed. No query uses the index, every write pays for it, and a unique one still refuses duplicates.
--: advice: Drop it and build it again.
--: documentation: sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY

--# given
INSERT INTO customers VALUES (1000, 'twin', 'c1@example.org');

--# bad, traced, F111
-- migrate:up transaction:false
CREATE UNIQUE INDEX CONCURRENTLY customers_email_idx ON customers (email);

--# good
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY customers_email_idx ON customers (email);

--# look-alike: ON ONLY a partitioned table waits for its partitions
CREATE INDEX readings_value_idx ON ONLY readings (value);

--# look-alike: it fails in a transaction, which leaves nothing
CREATE UNIQUE INDEX customers_email_idx ON customers (email);
