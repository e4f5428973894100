--: name: unvalidated-constraint-left
--: severity: info
--: evidence: catalog
--: title: A constraint is left NOT VALID
--: effect: It holds for new rows only, and the planner does not rely on it.
--: advice: VALIDATE it in the next migration.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-DESC-VALIDATE-CONSTRAINT

--# bad
ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0) NOT VALID;

--# good
ALTER TABLE orders ADD COLUMN pieces int;

--# look-alike: validated in the same file
-- migrate:up transaction:false
ALTER TABLE orders DROP CONSTRAINT IF EXISTS orders_amount_check;
ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT orders_amount_check;

--# look-alike: valid from the start
CREATE TABLE refunds (id bigint PRIMARY KEY, amount int CHECK (amount > 0));

--# look-alike, from 18: what is not enforced can't be validated
ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0) NOT ENFORCED;
