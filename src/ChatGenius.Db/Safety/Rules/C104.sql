--: name: rename-enum-value
--: severity: error
--: evidence: catalog
--: title: An enum value is renamed
--: effect: Code that is running now writes the old value and gets an error, and reads one that it does not know.
--: advice: Add a new value, and change the rows when all code knows it.
--: documentation: sql-altertype.html

--# given
CREATE TYPE colour AS ENUM ('red', 'green');

--# bad
ALTER TYPE colour RENAME VALUE 'red' TO 'crimson';

--# good
ALTER TYPE colour ADD VALUE 'crimson' AFTER 'red';

--# look-alike: the type is renamed
ALTER TYPE colour RENAME TO paint;

--# look-alike: an attribute of a composite type
CREATE TYPE point3 AS (x int, y int);
ALTER TYPE point3 RENAME ATTRIBUTE x TO a;
