--: name: json-column
--: severity: warning
--: evidence: catalog
--: title: A column is json
--: effect: json has no equality: DISTINCT, GROUP BY and UNION fail on it; it is parsed on every access and can't be indexed.
--: advice: jsonb, unless the very text has to be kept.
--: documentation: datatype-json.html

--# bad
ALTER TABLE orders ADD COLUMN details json;

--# good
ALTER TABLE orders ADD COLUMN details jsonb;

--# look-alike: a temporary table
CREATE TEMPORARY TABLE scratch (details json);

--# look-alike: a function's argument
CREATE FUNCTION keys(details json) RETURNS SETOF text LANGUAGE sql AS 'SELECT json_object_keys(details)';
