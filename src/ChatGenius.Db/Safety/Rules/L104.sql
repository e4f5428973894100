--: name: unique-builds-index
--: severity: error
--: evidence: traced
--: title: A unique constraint builds its index while the table is locked out
--: effect: ADD CONSTRAINT … UNIQUE holds ACCESS EXCLUSIVE while it reads the whole table and builds the index.
--: advice: Build a unique index CONCURRENTLY, then add the constraint USING INDEX, which takes a moment.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT-USING-INDEX

--# bad, F101
ALTER TABLE customers ADD CONSTRAINT customers_email_key UNIQUE (email);

--# good
-- migrate:up transaction:false
CREATE UNIQUE INDEX CONCURRENTLY customers_email_key ON customers (email);
--# next
ALTER TABLE customers ADD CONSTRAINT customers_email_key UNIQUE USING INDEX customers_email_key;

--# look-alike: the table is new
CREATE TABLE coupons (id bigint PRIMARY KEY);
ALTER TABLE coupons ADD COLUMN code text CONSTRAINT coupons_code_key UNIQUE;

--# look-alike: a type change makes the constraint again and keeps its index
ALTER TABLE customers ALTER COLUMN name TYPE varchar;

--# bad, traced, F101, C109: another one under the same name, in one statement
-- migrate:up transaction:false
CREATE UNIQUE INDEX CONCURRENTLY customers_key ON customers (email);
ALTER TABLE customers ADD CONSTRAINT customers_key UNIQUE USING INDEX customers_key;
--# next
ALTER TABLE customers DROP CONSTRAINT customers_key, ADD CONSTRAINT customers_key UNIQUE (email, name);
