--# given
CREATE PUBLICATION shop FOR TABLE orders;
CREATE UNIQUE INDEX orders_other_idx ON orders (id);

--# bad, C109, S105
ALTER TABLE orders DROP CONSTRAINT orders_pkey;

--# good, S105
ALTER TABLE orders REPLICA IDENTITY USING INDEX orders_other_idx;
ALTER TABLE orders DROP CONSTRAINT orders_pkey;

--# look-alike: the table is not published
CREATE TABLE logs (id bigint PRIMARY KEY);
--# next
ALTER TABLE logs DROP CONSTRAINT logs_pkey;

--# look-alike: it is published no more
ALTER PUBLICATION shop DROP TABLE orders;
ALTER TABLE orders DROP CONSTRAINT orders_pkey;
