--: name: table-work-under-lock
--: severity: warning
--: evidence: traced
--: title: A whole table is read or rewritten while others wait for it
--: effect: The statement holds SHARE or a stronger lock on the table while it goes through all its rows, so writes to it (under ACCESS EXCLUSIVE reads too) wait. No rule says more about this one: it is reported because the server was seen doing it.
--: advice: Do the work before the lock is taken, or in a migration of its own.
--: documentation: explicit-locking.html#LOCKING-TABLES

--# bad, traced: a block of code locks the table and reads it
DO $$ BEGIN LOCK TABLE orders IN SHARE MODE; PERFORM count(*) FROM orders; END $$;

--# good
DO $$ BEGIN PERFORM count(*) FROM orders; END $$;

--# look-alike: a query reads as it likes
SELECT count(*) FROM orders;

--# look-alike: a rule of its own reports it
CREATE INDEX orders_placed_at_idx ON orders (placed_at);
