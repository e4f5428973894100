--: name: rename-column
--: severity: error
--: evidence: catalog
--: title: A column is renamed
--: effect: Code that is running now names the old one and fails from the commit on.
--: advice: Add a new column, write both, and drop the old one when no code uses it; or put a view with the old names in front.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-DESC-RENAME

--# bad
ALTER TABLE orders RENAME COLUMN note TO remark;

--# good
ALTER TABLE orders ADD COLUMN remark text;

--# look-alike: a constraint is renamed
ALTER TABLE orders RENAME CONSTRAINT orders_customer_id_fkey TO orders_customer_fkey;

--# look-alike: the column is new
ALTER TABLE orders ADD COLUMN remrak text;
DO $$ BEGIN ALTER TABLE orders RENAME COLUMN remrak TO remark; END $$;

--# bad, traced: an empty column takes the name
ALTER TABLE orders RENAME COLUMN note TO note_old;
ALTER TABLE orders ADD COLUMN note text;

--# bad, traced: two columns change names
ALTER TABLE customers RENAME COLUMN name TO title;
ALTER TABLE customers RENAME COLUMN email TO name;

--# look-alike, traced, L409: what takes the name is filled from the old one
ALTER TABLE orders RENAME COLUMN note TO note_old;
ALTER TABLE orders ADD COLUMN note text;
UPDATE orders SET note = upper(note_old);
