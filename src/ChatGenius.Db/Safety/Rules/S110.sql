--: name: security-definer-search-path
--: severity: warning
--: evidence: catalog
--: title: A SECURITY DEFINER function takes its search_path from its caller
--: effect: A caller can put a function or table of its own in front, and it runs with the owner's rights.
--: advice: SET search_path on the function.
--: documentation: sql-createfunction.html#SQL-CREATEFUNCTION-SECURITY

--# bad
CREATE FUNCTION secret() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';

--# good
CREATE FUNCTION secret() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT 1';

--# look-alike: it runs with its caller's rights
CREATE FUNCTION plain() RETURNS int LANGUAGE sql SECURITY INVOKER AS 'SELECT 1';

--# look-alike: it is set in the same migration
CREATE FUNCTION secret() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
ALTER FUNCTION secret() SET search_path = pg_catalog, pg_temp;
