--# given
CREATE SCHEMA archive;

--# bad, traced
ALTER TABLE orders SET SCHEMA archive;

--# bad, traced: the schema itself is renamed
CREATE TABLE archive.old_orders (id bigint PRIMARY KEY);
--# next
ALTER SCHEMA archive RENAME TO attic;

--# good
ALTER TABLE orders SET SCHEMA archive;
CREATE VIEW orders AS SELECT * FROM archive.orders;

--# look-alike: the table is new
CREATE TABLE staging (id bigint PRIMARY KEY);
ALTER TABLE staging SET SCHEMA archive;

--# look-alike: an empty schema is renamed
ALTER SCHEMA archive RENAME TO attic;
