--# bad
ALTER TABLE orders ADD COLUMN details json;

--# good
ALTER TABLE orders ADD COLUMN details jsonb;

--# look-alike: a temporary table
CREATE TEMPORARY TABLE scratch (details json);

--# look-alike: a function's argument
CREATE FUNCTION keys(details json) RETURNS SETOF text LANGUAGE sql AS 'SELECT json_object_keys(details)';
