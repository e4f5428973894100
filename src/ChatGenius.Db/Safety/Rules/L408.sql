--: name: trigger-locks-table
--: severity: info
--: evidence: traced
--: title: Creating a trigger stops writes for a moment
--: effect: CREATE TRIGGER takes SHARE ROW EXCLUSIVE, DROP TRIGGER takes ACCESS EXCLUSIVE on the table, until commit.
--: advice: Keep the transaction short and the lock_timeout set.
--: documentation: sql-createtrigger.html

--# given
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';

--# bad
CREATE TRIGGER orders_touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();

--# good
CREATE TABLE refunds (id bigint PRIMARY KEY);
CREATE TRIGGER refunds_touch BEFORE UPDATE ON refunds FOR EACH ROW EXECUTE FUNCTION touch();

--# look-alike: a foreign key's own triggers
ALTER TABLE orders ADD COLUMN referrer_id bigint REFERENCES customers (id);

--# look-alike: the function alone locks no table
CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := NULL; RETURN NEW; END';
