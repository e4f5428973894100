--: name: stored-generated-rewrite
--: severity: error
--: evidence: traced
--: title: A stored generated column rewrites the table
--: effect: The value is computed and stored for every row: table and indexes are rewritten under ACCESS EXCLUSIVE. SET EXPRESSION (PostgreSQL 17) does the same.
--: advice: Use a plain column, fill it by a trigger, and fill the old rows in batches. From PostgreSQL 18: a VIRTUAL generated column, which stores nothing.
--: documentation: ddl-generated-columns.html

--# bad
ALTER TABLE orders ADD COLUMN amount_cents bigint GENERATED ALWAYS AS (amount * 100) STORED;

--# good
ALTER TABLE orders ADD COLUMN amount_cents bigint;

--# look-alike: the table is new
CREATE TABLE refunds (id bigint PRIMARY KEY, amount numeric, cents bigint GENERATED ALWAYS AS (amount * 100) STORED);

--# look-alike: STORAGE is another word
ALTER TABLE orders ALTER COLUMN note SET STORAGE EXTERNAL;

--# look-alike, from 18: a virtual column stores nothing
ALTER TABLE orders ADD COLUMN amount_cents bigint GENERATED ALWAYS AS (amount * 100) VIRTUAL;

--# bad, traced, from 17: another expression
CREATE TABLE prices (id bigint PRIMARY KEY, amount numeric, cents bigint GENERATED ALWAYS AS (amount * 100) STORED);
INSERT INTO prices (id, amount) VALUES (1, 1);
--# next
ALTER TABLE prices ALTER COLUMN cents SET EXPRESSION AS (amount * 1000);

--# look-alike, from 18: VIRTUAL is what is meant where nothing is said
ALTER TABLE orders ADD COLUMN amount_cents bigint GENERATED ALWAYS AS (amount * 100);

--# look-alike, from 18: another expression for what is not stored
ALTER TABLE orders ADD COLUMN amount_cents bigint GENERATED ALWAYS AS (amount * 100) VIRTUAL;
--# next
ALTER TABLE orders ALTER COLUMN amount_cents SET EXPRESSION AS (amount * 1000);
