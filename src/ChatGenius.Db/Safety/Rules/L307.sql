--: name: vacuum-full-or-cluster
--: severity: error
--: evidence: traced
--: title: VACUUM FULL or CLUSTER rewrites the table
--: effect: The table and its indexes are copied under ACCESS EXCLUSIVE: nothing else can read or write until it is done.
--: advice: Plain VACUUM makes room for new rows while others work. To give space back to the system, pg_repack and pg_squeeze copy the table on line.
--: documentation: sql-vacuum.html

--# bad
-- migrate:up transaction:false
VACUUM (FULL) orders;

--# bad
CLUSTER orders USING orders_pkey;

--# good
-- migrate:up transaction:false
VACUUM (ANALYZE) orders;

--# look-alike: it only remembers the index
ALTER TABLE orders CLUSTER ON orders_pkey;

--# look-alike: the word is in a string
COMMENT ON TABLE orders IS 'VACUUM FULL every Sunday';
