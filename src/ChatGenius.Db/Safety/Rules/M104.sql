--: name: session-state-leaks
--: severity: warning
--: evidence: traced
--: title: A setting outlives the migration
--: effect: SET and SET ROLE last until the session ends, so later migrations of the same run see another search_path or role; other tools fail on it.
--: advice: SET LOCAL, which ends with the transaction.
--: documentation: sql-set.html

--# bad, traced
SET search_path = pg_catalog;

--# bad, traced
SET ROLE pg_read_all_data;

--# good
SET LOCAL search_path = pg_catalog;

--# look-alike: a function's own setting
CREATE FUNCTION one() RETURNS int LANGUAGE sql SET search_path = pg_catalog AS 'SELECT 1';

--# look-alike: the SET of an UPDATE
UPDATE orders SET note = 'x' WHERE id = 1;
