--: name: constrained-domain-rewrite
--: severity: error
--: evidence: traced
--: title: A new column of a domain with constraints rewrites the table
--: effect: PostgreSQL rewrites the table under ACCESS EXCLUSIVE to test the domain's constraints, even when the column has no default.
--: advice: Use the domain's base type and a CHECK … NOT VALID that says the same.
--: documentation: sql-createdomain.html

--# given
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN plain AS int;

--# bad, traced
ALTER TABLE orders ADD COLUMN pieces positive;

--# good
ALTER TABLE orders ADD COLUMN pieces int;
ALTER TABLE orders ADD CONSTRAINT orders_pieces_check CHECK (pieces > 0) NOT VALID;

--# look-alike: the domain has no constraint
ALTER TABLE orders ADD COLUMN pieces plain DEFAULT 3;

--# look-alike: the table is new
CREATE TABLE boxes (id bigint PRIMARY KEY, pieces positive);
