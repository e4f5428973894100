--: name: drop-not-null
--: severity: warning
--: evidence: catalog
--: title: A column may be NULL from now on
--: effect: Code that is running now was promised a value, and may meet NULL as soon as a newer one writes it.
--: advice: Deploy code that reads NULL first.
--: documentation: ddl-alter.html#DDL-ALTER-REMOVING-A-CONSTRAINT

--# bad
ALTER TABLE orders ALTER COLUMN placed_at DROP NOT NULL;

--# good
ALTER TABLE orders ALTER COLUMN placed_at SET DEFAULT clock_timestamp();

--# look-alike, traced: it may be NULL already
ALTER TABLE orders ALTER COLUMN note DROP NOT NULL;

--# look-alike: the table is new
CREATE TABLE refunds (id bigint PRIMARY KEY, reason text NOT NULL);
ALTER TABLE refunds ALTER COLUMN reason DROP NOT NULL;
