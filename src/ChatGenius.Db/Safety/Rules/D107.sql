--: name: cascade-drop
--: severity: error
--: evidence: catalog
--: title: CASCADE drops objects that the migration never names
--: effect: What depends on the object goes with it: views, columns, functions, foreign keys of other tables. What that will be is decided by the database that it runs on.
--: advice: Drop what depends on it by name, so that the migration says what goes and fails where there is more.
--: documentation: ddl-depend.html

--# given
CREATE VIEW open_orders AS SELECT id, note FROM orders WHERE status = 'new';
CREATE TYPE colour AS ENUM ('red');

--# bad, D102, C108
ALTER TABLE orders DROP COLUMN note CASCADE;

--# bad, D101, C110: a foreign key of another table
DROP TABLE customers CASCADE;

--# good, C108, D102
DROP VIEW open_orders;
ALTER TABLE orders DROP COLUMN note;

--# look-alike, traced: nothing depends on it
DROP TYPE colour CASCADE;

--# look-alike, traced: the view is named in the migration's text
DROP VIEW open_orders CASCADE;
