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
