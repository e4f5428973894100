--: name: replica-identity-lost
--: severity: error
--: evidence: catalog
--: title: A published table can no longer be updated
--: effect: A publication needs to tell rows apart. Without a primary key or another replica identity every UPDATE and DELETE of the table fails.
--: advice: Set REPLICA IDENTITY USING INDEX to another unique index first.
--: documentation: logical-replication-publication.html

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
