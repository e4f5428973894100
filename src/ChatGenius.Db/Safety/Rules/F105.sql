--: name: new-enum-value-used
--: severity: error
--: evidence: traced
--: title: A new enum value is used in the transaction that adds it
--: effect: PostgreSQL refuses it (55P04): the value can be used after the commit only.
--: advice: Add the value in one migration, use it in the next.
--: documentation: sql-altertype.html

--# given
CREATE TYPE colour AS ENUM ('red', 'green');
ALTER TABLE orders ADD COLUMN colour colour;

--# bad
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
