--: name: no-primary-key
--: severity: warning
--: evidence: catalog
--: title: A table has no primary key
--: effect: Rows can't be told apart: no upsert, no logical replication of UPDATE and DELETE, no online rewrite.
--: advice: Give it one.
--: documentation: ddl-constraints.html#DDL-CONSTRAINTS-PRIMARY-KEYS

--# bad
CREATE TABLE logs (line text);

--# bad, C109, C110, D107: the key is gone
ALTER TABLE customers DROP CONSTRAINT customers_pkey CASCADE;

--# good
CREATE TABLE logs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, line text);

--# look-alike: it comes later in the migration
CREATE TABLE coupons (code text);
ALTER TABLE coupons ADD PRIMARY KEY (code);

--# look-alike: a temporary table
CREATE TEMPORARY TABLE scratch (line text);

--# look-alike: a partition has its parent's
CREATE TABLE readings_2027 PARTITION OF readings FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
