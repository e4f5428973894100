--# bad
CREATE FUNCTION secret() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';

--# good
CREATE FUNCTION secret() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT 1';

--# look-alike: it runs with its caller's rights
CREATE FUNCTION plain() RETURNS int LANGUAGE sql SECURITY INVOKER AS 'SELECT 1';

--# look-alike: it is set in the same migration
CREATE FUNCTION secret() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
ALTER FUNCTION secret() SET search_path = pg_catalog, pg_temp;
