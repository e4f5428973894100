--# bad
ALTER TABLE orders RENAME COLUMN note TO remark;

--# good
ALTER TABLE orders ADD COLUMN remark text;

--# look-alike: a constraint is renamed
ALTER TABLE orders RENAME CONSTRAINT orders_customer_id_fkey TO orders_customer_fkey;

--# look-alike: the column is new
ALTER TABLE orders ADD COLUMN remrak text;
DO $$ BEGIN ALTER TABLE orders RENAME COLUMN remrak TO remark; END $$;

--# look-alike, traced: the old name is there again
ALTER TABLE orders RENAME COLUMN note TO note_old;
ALTER TABLE orders ADD COLUMN note text;
