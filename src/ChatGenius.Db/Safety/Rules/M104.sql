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
