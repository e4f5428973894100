--: name: pending-trigger-events
--: severity: error
--: evidence: traced
--: title: A table is altered while checks of its changed rows are still due
--: effect: Rows were written that a deferred constraint will check at commit; until then ALTER TABLE is refused (55006). It shows only where there are rows.
--: advice: SET CONSTRAINTS ALL IMMEDIATE before, or two migrations.
--: documentation: sql-set-constraints.html

--# given
ALTER TABLE orders ALTER CONSTRAINT orders_customer_id_fkey DEFERRABLE INITIALLY DEFERRED;

--# bad, traced
UPDATE orders SET customer_id = 3 WHERE id = 1;
ALTER TABLE orders ADD COLUMN pieces int;

--# good
UPDATE orders SET customer_id = 3 WHERE id = 1;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE orders ADD COLUMN pieces int;

--# look-alike: the key did not change
UPDATE orders SET note = '' WHERE id = 1;
ALTER TABLE orders ADD COLUMN pieces int;

--# look-alike: two migrations
UPDATE orders SET customer_id = 3 WHERE id = 1;
--# next
ALTER TABLE orders ADD COLUMN pieces int;
