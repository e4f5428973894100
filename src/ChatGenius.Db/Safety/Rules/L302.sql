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
