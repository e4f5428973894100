--: name: assertion-fails
--: severity: error
--: evidence: traced
--: title: What the migration asks of the database can't be answered with true
--: effect: A cgdb:require or cgdb:ensure that fails, writes, or gives anything but one row with one boolean ends the migration wherever it is run.
--: advice: Write one SELECT that reads only and gives one boolean. Where the answer depends on rows, it is only noted: production has others.
--: documentation: sql-set-transaction.html

--# bad
-- cgdb:require SELECT count(*) = 0 FROM order_lines_old;
CREATE TABLE refunds (id bigint PRIMARY KEY);

--# bad: it writes
-- cgdb:ensure WITH gone AS (DELETE FROM orders RETURNING 1)
--             SELECT count(*) = 0 FROM gone;
CREATE TABLE refunds (id bigint PRIMARY KEY);

--# bad: it takes a number of a sequence
-- cgdb:ensure SELECT nextval('orders_id_seq') > 0;
CREATE TABLE refunds (id bigint PRIMARY KEY);

--# bad: it gives a number
-- cgdb:require SELECT count(*) FROM orders;
CREATE TABLE refunds (id bigint PRIMARY KEY);

--# bad: two rows
-- migrate:up transaction:false
-- cgdb:ensure VALUES (true), (true);
CREATE TABLE refunds (id bigint PRIMARY KEY);

--# good
-- cgdb:require SELECT count(*) > 0
--              FROM orders;
-- cgdb:ensure SELECT count(*) = 0 FROM refunds;
CREATE TABLE refunds (id bigint PRIMARY KEY);

--# look-alike: it asks for what the migration makes
-- cgdb:ensure SELECT to_regclass('refunds') IS NOT NULL;
CREATE TABLE refunds (id bigint PRIMARY KEY);

--# look-alike: the words are in a block comment
/*
-- cgdb:require SELECT 1;
*/
CREATE TABLE refunds (id bigint PRIMARY KEY);

--# look-alike: it is asked after SET TRANSACTION
-- cgdb:require SELECT current_setting('transaction_isolation') = 'serializable';
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
CREATE TABLE refunds (id bigint PRIMARY KEY);
