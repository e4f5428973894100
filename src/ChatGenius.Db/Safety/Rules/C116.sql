--: name: row-security-without-policy
--: severity: warning
--: evidence: catalog
--: title: Row security is on and there is no policy
--: effect: Without a policy every role but the owner (with FORCE the owner too) reads no row and writes none, without an error for reads.
--: advice: Create the policies in the same migration.
--: documentation: ddl-rowsecurity.html

--# bad, traced
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;

--# bad, traced: for the owner too
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders FORCE ROW LEVEL SECURITY;

--# bad, traced: the last policy goes
CREATE POLICY orders_all ON orders USING (true);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
--# next
DROP POLICY orders_all ON orders;

--# good
CREATE POLICY orders_all ON orders USING (true);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;

--# look-alike: the policy comes after it
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY orders_all ON orders USING (true);

--# look-alike: the table is new, and nobody reads it yet
CREATE TABLE notes (id bigint PRIMARY KEY);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
