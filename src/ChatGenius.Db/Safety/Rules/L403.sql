--# bad
LOCK TABLE orders;

--# good
LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE;

--# look-alike: only the rows
SELECT id FROM orders WHERE id < 10 FOR UPDATE;

--# look-alike: the words of a comment
COMMENT ON TABLE orders IS 'never LOCK TABLE orders';
