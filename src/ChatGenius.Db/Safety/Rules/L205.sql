--: name: validate-under-lock
--: severity: error
--: evidence: traced
--: title: A constraint is validated while the lock that added it is still held
--: effect: VALIDATE CONSTRAINT alone lets others write. In the transaction that added the constraint NOT VALID, the strong lock of that step is held through the scan, so nothing is won.
--: advice: Validate in the next migration.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-DESC-VALIDATE-CONSTRAINT

--# bad, traced, L401
ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT orders_amount_check;

--# good
ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0) NOT VALID;
--# next
ALTER TABLE orders VALIDATE CONSTRAINT orders_amount_check;

--# look-alike: each is a transaction of its own
-- migrate:up transaction:false
ALTER TABLE orders DROP CONSTRAINT IF EXISTS orders_amount_check;
ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT orders_amount_check;

--# look-alike: the table is new
CREATE TABLE refunds (id bigint PRIMARY KEY, amount int);
ALTER TABLE refunds ADD CONSTRAINT refunds_amount_check CHECK (amount > 0) NOT VALID;
ALTER TABLE refunds VALIDATE CONSTRAINT refunds_amount_check;

--# bad, traced, from 18, L401: NOT NULL is a constraint as well
ALTER TABLE orders ADD CONSTRAINT orders_amount_not_null NOT NULL amount NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT orders_amount_not_null;
