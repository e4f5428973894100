--: name: identity-rewrite
--: severity: error
--: evidence: traced
--: title: A new serial or identity column rewrites the table
--: effect: Every row takes a number from the sequence: table and indexes are rewritten under ACCESS EXCLUSIVE.
--: advice: Add a plain column with a sequence as its default, fill the old rows in batches, then make it an identity column.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-NOTES

--# bad, S109
ALTER TABLE orders ADD COLUMN number bigserial;

--# bad
ALTER TABLE orders ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY;

--# good, S109
CREATE SEQUENCE orders_number_seq;
ALTER TABLE orders ADD COLUMN number bigint;
ALTER TABLE orders ALTER COLUMN number SET DEFAULT nextval('orders_number_seq');

--# look-alike: the column is there and filled
ALTER TABLE orders ALTER COLUMN id SET GENERATED ALWAYS;

--# look-alike: the table is new
CREATE TABLE refunds (id bigserial PRIMARY KEY);
