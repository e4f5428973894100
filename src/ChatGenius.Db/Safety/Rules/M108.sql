--: name: unjudged
--: severity: warning
--: evidence: traced
--: title: Statements could not be judged
--: effect: The throw-away database's server lacks something that they need (a role, an extension, a right), or they need what an earlier migration failed to make. They were passed over there and judged by their words only; the others were run.
--: advice: Install what is missing on that server, or name one that has it with --shadow. With --fail-on unjudged, which is the default under CI, check exits with 1.
--: documentation: errcodes-appendix.html

--# bad, traced
CREATE EXTENSION an_extension_that_is_not_there;
ALTER TABLE orders ADD COLUMN paid boolean;

--# bad, traced: the rest of the file is judged all the same
GRANT SELECT ON orders TO a_role_that_is_not_there;
ALTER TABLE orders ADD COLUMN paid boolean;

--# bad, traced: what follows from it is no fault of the migration
CREATE EXTENSION an_extension_that_is_not_there;
CREATE TABLE places (id bigint PRIMARY KEY, spot a_type_of_that_extension);
CREATE INDEX places_spot_idx ON places (spot);

--# good
GRANT SELECT ON orders TO PUBLIC;

--# look-alike: roles belong to the server, which has this one already
CREATE ROLE pg_monitor;

--# look-alike: what is not there is the migration's own fault
ALTER TABLE orders DROP COLUMN nothing_of_the_kind;
