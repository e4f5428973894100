--: name: constraint-may-fail
--: severity: warning
--: evidence: catalog
--: title: Existing rows may break the new constraint
--: effect: The first row that does ends the migration (23514, 23503 or 23P01).
--: advice: Add it NOT VALID, put the rows right, then VALIDATE it.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-DESC-VALIDATE-CONSTRAINT

--# bad, L202
ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0);

--# good
ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0) NOT VALID;

--# look-alike: the column is new
ALTER TABLE orders ADD COLUMN pieces int DEFAULT 1 CHECK (pieces > 0);

--# look-alike: the table is new
CREATE TABLE refunds (id bigint PRIMARY KEY, amount int CHECK (amount > 0));
