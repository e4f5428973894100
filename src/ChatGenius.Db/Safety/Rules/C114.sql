--: name: enum-value-order
--: severity: info
--: evidence: text
--: title: A new enum value goes last
--: effect: Enum values compare in their order, so ORDER BY and < put the new one behind all others.
--: advice: Say BEFORE or AFTER which one.
--: documentation: sql-altertype.html

--# given
CREATE TYPE colour AS ENUM ('red', 'green');

--# bad
ALTER TYPE colour ADD VALUE 'blue';

--# good
ALTER TYPE colour ADD VALUE 'blue' AFTER 'green';

--# look-alike: another change of the type
ALTER TYPE colour OWNER TO CURRENT_USER;

--# look-alike: a new type
CREATE TYPE paint AS ENUM ('matt', 'gloss');
