--: name: truncate-cascade
--: severity: error
--: evidence: traced
--: title: TRUNCATE … CASCADE empties tables that it does not name
--: effect: Every table with a foreign key to the named one is emptied too, whatever its delete action says, and so on down the line.
--: advice: Name all the tables, so that the migration says what goes.
--: documentation: sql-truncate.html

--# bad, D104
TRUNCATE customers CASCADE;

--# good, D104
TRUNCATE customers, orders;

--# look-alike, traced: nothing refers to it
TRUNCATE orders CASCADE;

--# look-alike: CASCADE of another command
DROP TABLE IF EXISTS nothing_of_the_kind CASCADE;
