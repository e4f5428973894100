--: name: protection-disabled
--: severity: error
--: evidence: catalog
--: title: A trigger or row-level security is switched off and stays so
--: effect: What the trigger kept in order, or the policies kept apart, is open from the commit on.
--: advice: Switch it on again in the same migration.
--: documentation: ddl-rowsecurity.html

--# given
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER orders_touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;

--# bad
ALTER TABLE orders DISABLE TRIGGER orders_touch;

--# bad
ALTER TABLE customers DISABLE ROW LEVEL SECURITY;

--# good
ALTER TABLE orders DISABLE TRIGGER orders_touch;
UPDATE orders SET note = 'x' WHERE id < 5;
ALTER TABLE orders ENABLE TRIGGER orders_touch;

--# look-alike, traced: row-level security of a table that has none
ALTER TABLE orders DISABLE ROW LEVEL SECURITY;

--# look-alike: enabled for replicas too
ALTER TABLE orders ENABLE ALWAYS TRIGGER orders_touch;
