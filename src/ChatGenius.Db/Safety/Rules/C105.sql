--: name: required-column-added
--: severity: error
--: evidence: catalog
--: title: A new column demands a value that running code does not give
--: effect: Code that is running now inserts without the column, which is NOT NULL and has no default: every INSERT fails. On a table with rows the migration itself fails.
--: advice: Give it a default, or add it nullable and make it NOT NULL when all code writes it.
--: documentation: ddl-alter.html#DDL-ALTER-ADDING-A-COLUMN

--# given
CREATE TABLE empty (id bigint PRIMARY KEY);

--# bad, F102
ALTER TABLE empty ADD COLUMN owner text NOT NULL;

--# bad, traced, L401, L409, L410, L203: in three steps, the end is the same
ALTER TABLE orders ADD COLUMN source text;
UPDATE orders SET source = 'web' WHERE source IS NULL;
ALTER TABLE orders ALTER COLUMN source SET NOT NULL;

--# good
ALTER TABLE empty ADD COLUMN owner text NOT NULL DEFAULT '';

--# look-alike: nullable
ALTER TABLE empty ADD COLUMN owner text;

--# look-alike: the table is new
CREATE TABLE refunds (id bigint PRIMARY KEY);
ALTER TABLE refunds ADD COLUMN reason text NOT NULL;

--# look-alike: it numbers itself
ALTER TABLE empty ADD COLUMN number bigint NOT NULL GENERATED ALWAYS AS IDENTITY;
