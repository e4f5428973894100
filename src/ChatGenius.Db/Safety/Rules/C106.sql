--: name: default-changed
--: severity: info
--: evidence: catalog
--: title: A column's default changes
--: effect: Code that leaves the value to the database writes another one from the commit on.
--: advice: Have the application write the value itself first.
--: documentation: ddl-alter.html#DDL-ALTER-COLUMN-DEFAULT

--# bad
ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'open';

--# good
ALTER TABLE orders ADD COLUMN state text DEFAULT 'open';

--# look-alike, traced: the same default again
ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'new';

--# look-alike: the table is new
CREATE TABLE refunds (id bigint PRIMARY KEY, state text);
ALTER TABLE refunds ALTER COLUMN state SET DEFAULT 'open';
