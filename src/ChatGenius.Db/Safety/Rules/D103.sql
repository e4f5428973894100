--: name: drop-schema
--: severity: error
--: evidence: catalog
--: title: A schema or database is dropped with all that is in it
--: effect: Every table in it is gone with its rows.
--: advice: Drop what is in it by name, so that the migration says what goes.
--: documentation: sql-dropschema.html

--# given
CREATE SCHEMA old;
CREATE TABLE old.events (id bigint PRIMARY KEY);
CREATE SCHEMA empty;

--# bad, D101
DROP SCHEMA old CASCADE;

--# good, D101
DROP TABLE old.events;
DROP SCHEMA old;

--# look-alike: nothing is in it
DROP SCHEMA empty;

--# look-alike: the schema was made in this migration
CREATE SCHEMA scratch;
DROP SCHEMA scratch;
