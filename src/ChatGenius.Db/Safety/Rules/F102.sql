--: name: not-null-may-fail
--: severity: warning
--: evidence: catalog
--: title: Existing rows may be NULL
--: effect: The first NULL ends the migration (23502).
--: advice: Fill the rows first, and prove it with a CHECK (column IS NOT NULL) that is validated by itself.
--: documentation: ddl-constraints.html#DDL-CONSTRAINTS-NOT-NULL

--# given
UPDATE orders SET note = '';

--# bad, L203
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;

--# good, traced
ALTER TABLE orders ADD CONSTRAINT orders_note_not_null CHECK (note IS NOT NULL) NOT VALID;
--# next
ALTER TABLE orders VALIDATE CONSTRAINT orders_note_not_null;
--# next
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;

--# look-alike: a new column with a default
ALTER TABLE orders ADD COLUMN pieces int NOT NULL DEFAULT 1;

--# look-alike, traced: NOT NULL already
ALTER TABLE orders ALTER COLUMN placed_at SET NOT NULL;

--# bad, C105, F111: a new column without a value
ALTER TABLE orders ADD COLUMN tenant bigint NOT NULL;

--# bad, C105: the same where there happens to be no row
CREATE TABLE tenants (id bigint PRIMARY KEY);
--# next
ALTER TABLE tenants ADD COLUMN name text NOT NULL;

--# look-alike: it numbers itself
ALTER TABLE customers ADD COLUMN number bigint NOT NULL GENERATED ALWAYS AS IDENTITY;

--# look-alike, traced: the same transaction fills it
UPDATE orders SET note = '-' WHERE note IS NULL;
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;

--# bad, traced, L203, L401, L410: what fills it may be NULL
UPDATE orders SET note = status WHERE note IS NULL;
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;

--# bad, traced, L203, L401, L410: a later statement may take it away again
UPDATE orders SET note = '-' WHERE note IS NULL;
UPDATE orders SET note = NULL WHERE id < 1;
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;
