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
