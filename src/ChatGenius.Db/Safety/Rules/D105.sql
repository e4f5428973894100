--# bad, D104
TRUNCATE customers CASCADE;

--# good, D104
TRUNCATE customers, orders;

--# look-alike, traced: nothing refers to it
TRUNCATE orders CASCADE;

--# look-alike: CASCADE of another command
DROP TABLE IF EXISTS nothing_of_the_kind CASCADE;
