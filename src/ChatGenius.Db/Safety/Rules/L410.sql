--# bad, traced, L409
ALTER TABLE orders ADD COLUMN pieces int;
UPDATE orders SET pieces = 1 WHERE id > 0;

--# good
ALTER TABLE orders ADD COLUMN pieces int;
--# next
-- migrate:up transaction:false
DO $$
BEGIN
    LOOP
        UPDATE orders SET pieces = 1 WHERE id IN (SELECT id FROM orders WHERE pieces IS NULL LIMIT 500);
        EXIT WHEN NOT FOUND;
        COMMIT;
    END LOOP;
END $$;

--# look-alike: a few rows
ALTER TABLE orders ADD COLUMN pieces int;
UPDATE orders SET pieces = 1 WHERE id < 10;

--# look-alike: no table is locked out
CREATE TABLE archive (LIKE orders);
INSERT INTO archive SELECT * FROM orders;
