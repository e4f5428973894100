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
