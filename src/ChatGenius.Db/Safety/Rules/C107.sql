--# bad
ALTER TABLE orders ALTER COLUMN placed_at DROP NOT NULL;

--# good
ALTER TABLE orders ALTER COLUMN placed_at SET DEFAULT clock_timestamp();

--# look-alike: it may be NULL already
ALTER TABLE orders ALTER COLUMN note DROP NOT NULL;

--# look-alike: the table is new
CREATE TABLE refunds (id bigint PRIMARY KEY, reason text NOT NULL);
ALTER TABLE refunds ALTER COLUMN reason DROP NOT NULL;
