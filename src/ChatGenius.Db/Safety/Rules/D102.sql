--: name: drop-column
--: severity: error
--: evidence: catalog
--: title: A column is dropped with its values
--: effect: The values are gone when the migration commits, and code that still names the column fails; so does SELECT * into a fixed shape.
--: advice: Have the application ignore the column first, and drop it in a later release. -- cgdb:unused-since 7d above the drop holds it back while it is used.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-DESC-DROP-COLUMN

--# bad
ALTER TABLE orders DROP COLUMN note;

--# bad, traced, D107: a type takes the column along
CREATE TYPE colour AS ENUM ('red');
ALTER TABLE orders ADD COLUMN colour colour;
--# next
DROP TYPE colour CASCADE;

--# good
COMMENT ON COLUMN orders.note IS 'no longer read; dropped in the next release';

--# look-alike: the column was made in this migration
ALTER TABLE orders ADD COLUMN scratch int;
DO $$ BEGIN ALTER TABLE orders DROP COLUMN scratch; END $$;

--# look-alike, traced: there is no such column
ALTER TABLE orders DROP COLUMN IF EXISTS nothing_of_the_kind;

--# look-alike: a constraint is no column
ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey;
