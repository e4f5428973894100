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
