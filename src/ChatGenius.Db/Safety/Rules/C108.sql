--: name: drop-view-or-function
--: severity: error
--: evidence: catalog
--: title: A view, a view's column or a function is gone
--: effect: Code that is running now uses it and fails from the commit on.
--: advice: Keep it for a release: a view can show a constant, a function can call the new one.
--: documentation: sql-dropview.html

--# given
CREATE VIEW open_orders AS SELECT id, note FROM orders WHERE status = 'new';
CREATE FUNCTION total(customer bigint) RETURNS numeric LANGUAGE sql AS 'SELECT sum(amount) FROM orders WHERE customer_id = customer';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';

--# bad
DROP VIEW open_orders;

--# bad
DROP FUNCTION total(bigint);

--# bad: a column of the view is gone
DROP VIEW open_orders;
CREATE VIEW open_orders AS SELECT id FROM orders WHERE status = 'new';

--# good
CREATE OR REPLACE VIEW open_orders AS SELECT id, note FROM orders WHERE status IN ('new', 'open');

--# look-alike, traced: dropped and made again with more
DROP VIEW open_orders;
CREATE VIEW open_orders AS SELECT id, note, amount FROM orders WHERE status = 'new';

--# look-alike, traced: only a trigger calls a trigger function
DROP FUNCTION touch();
