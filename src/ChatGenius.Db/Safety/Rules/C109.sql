--: name: unique-removed
--: severity: warning
--: evidence: catalog
--: title: A unique or primary key is gone
--: effect: INSERT … ON CONFLICT on its columns fails from the commit on, and duplicates can come in.
--: advice: Build the unique index that is to replace it first.
--: documentation: sql-insert.html#SQL-ON-CONFLICT

--# given
ALTER TABLE customers ADD CONSTRAINT customers_email_key UNIQUE (email);

--# bad
ALTER TABLE customers DROP CONSTRAINT customers_email_key;

--# good, traced, S104
-- migrate:up transaction:false
CREATE UNIQUE INDEX CONCURRENTLY customers_email_idx ON customers (email);
--# next
ALTER TABLE customers DROP CONSTRAINT customers_email_key;

--# look-alike: an index that is not unique
-- migrate:up transaction:false
DROP INDEX CONCURRENTLY orders_status_idx;

--# look-alike: it is renamed
ALTER TABLE customers RENAME CONSTRAINT customers_email_key TO customers_email_unique;
