--: name: unique-may-fail
--: severity: warning
--: evidence: catalog
--: title: Existing rows may not be unique
--: effect: The first duplicate ends the migration. A concurrent build that fails leaves an invalid index behind, which apply drops and builds again when it goes on.
--: advice: Look for duplicates first.
--: documentation: indexes-unique.html

--# bad, L104
ALTER TABLE customers ADD CONSTRAINT customers_email_key UNIQUE (email);

--# good: a build that fails is made good by the next apply
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY customers_email_idx ON customers (email);

--# look-alike: unique by the key alone already
CREATE UNIQUE INDEX customers_id_name_idx ON customers (id, name);

--# look-alike: the table is new
CREATE TABLE coupons (id bigint PRIMARY KEY, code text UNIQUE);

--# look-alike: a new column that holds nothing
ALTER TABLE customers ADD COLUMN phone text;
CREATE UNIQUE INDEX customers_phone_key ON customers (phone);

--# look-alike: a new column with a value of its own in every row
ALTER TABLE customers ADD COLUMN token uuid DEFAULT gen_random_uuid();
CREATE UNIQUE INDEX customers_token_key ON customers (token);
