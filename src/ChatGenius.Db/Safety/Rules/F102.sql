--# given
UPDATE orders SET note = '';

--# bad, L203
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;

--# good
ALTER TABLE orders ADD CONSTRAINT orders_note_not_null CHECK (note IS NOT NULL) NOT VALID;
--# next
ALTER TABLE orders VALIDATE CONSTRAINT orders_note_not_null;
--# next
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;

--# look-alike: a new column with a default
ALTER TABLE orders ADD COLUMN pieces int NOT NULL DEFAULT 1;

--# look-alike: NOT NULL already
ALTER TABLE orders ALTER COLUMN placed_at SET NOT NULL;
