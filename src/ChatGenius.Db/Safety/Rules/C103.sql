--: name: move-schema
--: severity: error
--: evidence: catalog
--: title: A table or view moves to another schema
--: effect: Code that names it with its schema, or has not the new one in its search_path, fails from the commit on.
--: advice: Leave a view in the old place, until no code uses it.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-DESC-SET-SCHEMA

--# given
CREATE SCHEMA archive;

--# bad, traced
ALTER TABLE orders SET SCHEMA archive;

--# bad, traced: the schema itself is renamed
CREATE TABLE archive.old_orders (id bigint PRIMARY KEY);
--# next
ALTER SCHEMA archive RENAME TO attic;

--# good, traced
ALTER TABLE orders SET SCHEMA archive;
CREATE VIEW orders AS SELECT * FROM archive.orders;

--# look-alike: the table is new
CREATE TABLE staging (id bigint PRIMARY KEY);
ALTER TABLE staging SET SCHEMA archive;

--# look-alike: an empty schema is renamed
ALTER SCHEMA archive RENAME TO attic;
