--: name: not-null-scan
--: severity: error
--: evidence: traced
--: title: SET NOT NULL reads the whole table while it is locked out
--: effect: ALTER COLUMN … SET NOT NULL looks for NULLs in every row under ACCESS EXCLUSIVE, unless a valid CHECK constraint already proves that there are none (PostgreSQL 12).
--: advice: Add a CHECK (column IS NOT NULL) NOT VALID, VALIDATE it in the next migration, then SET NOT NULL and drop the CHECK. From PostgreSQL 18: ADD CONSTRAINT … NOT NULL … NOT VALID.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-DESC-SET-DROP-NOT-NULL

--# given
UPDATE orders SET note = '';

--# bad, traced, F102
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;

--# bad, traced, F102: an OR proves nothing
ALTER TABLE orders ADD CONSTRAINT orders_note_proof CHECK (note IS NOT NULL OR amount IS NOT NULL) NOT VALID;
--# next
ALTER TABLE orders VALIDATE CONSTRAINT orders_note_proof;
--# next
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;

--# good, traced
ALTER TABLE orders ADD CONSTRAINT orders_note_not_null CHECK (note IS NOT NULL) NOT VALID;
--# next
ALTER TABLE orders VALIDATE CONSTRAINT orders_note_not_null;
--# next
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;
ALTER TABLE orders DROP CONSTRAINT orders_note_not_null;

--# look-alike, traced: a CHECK that says more proves it too
ALTER TABLE orders ADD CONSTRAINT orders_note_proof CHECK (note IS NOT NULL AND length(note) < 1000) NOT VALID;
--# next
ALTER TABLE orders VALIDATE CONSTRAINT orders_note_proof;
--# next
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;

--# look-alike, traced: the column is NOT NULL already
ALTER TABLE orders ALTER COLUMN placed_at SET NOT NULL;

--# look-alike, traced: the table is new
CREATE TABLE refunds (id bigint PRIMARY KEY, reason text);
ALTER TABLE refunds ALTER COLUMN reason SET NOT NULL;

--# bad, traced, from 18, F102: it is there, but NOT VALID
ALTER TABLE orders ADD CONSTRAINT orders_note_not_null NOT NULL note NOT VALID;
--# next
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;

--# good, traced, from 18
ALTER TABLE orders ADD CONSTRAINT orders_note_not_null NOT NULL note NOT VALID;
--# next
ALTER TABLE orders VALIDATE CONSTRAINT orders_note_not_null;
