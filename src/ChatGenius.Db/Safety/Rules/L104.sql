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
