--: name: backfill-with-ddl
--: severity: error
--: evidence: traced
--: title: Many rows are written while a table is locked out
--: effect: An earlier statement of the transaction holds ACCESS EXCLUSIVE, so nothing can read that table until all these rows are written.
--: advice: Change the schema in one migration, the rows in the next.
--: documentation: explicit-locking.html#LOCKING-TABLES

--# given
CREATE TABLE drafts (id bigint PRIMARY KEY, title text);

--# bad: nobody knows how many rows there will be
ALTER TABLE drafts ADD COLUMN title_upper text;
UPDATE drafts SET title_upper = upper(title) WHERE title IS NOT NULL;

--# bad: nor how many go
ALTER TABLE drafts ADD COLUMN title_upper text;
DELETE FROM drafts WHERE id > 0;

--# bad, traced, L407: nor how many are taken from another table
ALTER TABLE customers ADD COLUMN phone text;
INSERT INTO customers SELECT id, title, 'x' FROM drafts;

--# bad, L409: a tenth of the table is many
ALTER TABLE orders ADD COLUMN pieces int;
UPDATE orders SET pieces = 1 WHERE id % 2 = 0;

--# bad, L409
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

--# look-alike, traced: a few rows
ALTER TABLE orders ADD COLUMN pieces int;
UPDATE orders SET pieces = 1 WHERE id < 10;

--# look-alike: no table is locked out
CREATE TABLE archive (LIKE orders);
INSERT INTO archive SELECT * FROM orders;

--# look-alike, traced: a row by its key
ALTER TABLE drafts ADD COLUMN title_upper text;
UPDATE drafts SET title_upper = 'X' WHERE id = 1;

--# look-alike, traced: rows by their keys
ALTER TABLE drafts ADD COLUMN title_upper text;
DELETE FROM drafts WHERE id IN (1, 2, 3);

--# look-alike: rows that the statement brings itself
ALTER TABLE drafts ADD COLUMN title_upper text;
INSERT INTO drafts (id, title) SELECT n, 'x' FROM generate_series(1, 3) n;
