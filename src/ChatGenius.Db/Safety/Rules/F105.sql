--# given
CREATE TYPE colour AS ENUM ('red', 'green');
ALTER TABLE orders ADD COLUMN colour colour;

--# bad, traced
ALTER TYPE colour ADD VALUE 'blue' AFTER 'green';
UPDATE orders SET colour = 'blue' WHERE id = 1;

--# good
ALTER TYPE colour ADD VALUE 'blue' AFTER 'green';
--# next
UPDATE orders SET colour = 'blue' WHERE id = 1;

--# look-alike: another value is used
ALTER TYPE colour ADD VALUE 'blue' AFTER 'green';
UPDATE orders SET colour = 'red' WHERE id = 1;

--# look-alike: a type of this migration
CREATE TYPE paint AS ENUM ('matt', 'gloss');
ALTER TABLE orders ADD COLUMN paint paint DEFAULT 'matt';
