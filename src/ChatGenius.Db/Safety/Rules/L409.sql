--: name: whole-table-update
--: severity: error
--: evidence: traced
--: title: All rows of a table are updated in one statement
--: effect: Every row is written again and stays locked until commit; the table doubles in size, replicas fall behind, and VACUUM can't help before the end.
--: advice: Go through the table in batches: batch:TABLE behind migrate:up, and :batch_first and :batch_last in the statement.
--: documentation: routine-vacuuming.html#VACUUM-FOR-SPACE-RECOVERY

--# bad
UPDATE orders SET note = '';

--# bad, traced: a condition that all rows meet
UPDATE orders SET note = '' WHERE id > 0;

--# bad, traced: a block of code does it
DO $$ BEGIN UPDATE orders SET note = ''; END $$;

--# good
-- migrate:up batch:orders
UPDATE orders SET note = '' WHERE id BETWEEN :batch_first AND :batch_last;

--# look-alike: a few rows
UPDATE orders SET note = '' WHERE id < 10;

--# look-alike: the table is new
CREATE TABLE colours (id bigint PRIMARY KEY, name text);
INSERT INTO colours VALUES (1, 'red');
UPDATE colours SET name = 'green';
