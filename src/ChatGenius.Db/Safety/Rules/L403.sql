--: name: explicit-lock
--: severity: warning
--: evidence: text
--: title: LOCK TABLE keeps others out
--: effect: Without a mode LOCK TABLE takes ACCESS EXCLUSIVE, which stops reads too, until the transaction ends.
--: advice: Name the weakest mode that does, and keep the transaction short. Row locks (SELECT … FOR UPDATE) often do.
--: documentation: sql-lock.html

--# bad
LOCK TABLE orders;

--# good
LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE;

--# look-alike: only the rows
SELECT id FROM orders WHERE id < 10 FOR UPDATE;

--# look-alike: the words of a comment
COMMENT ON TABLE orders IS 'never LOCK TABLE orders';
