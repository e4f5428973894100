--: name: domain-change-scan
--: severity: error
--: evidence: traced
--: title: A domain's new rule is tested in every table that uses it
--: effect: ALTER DOMAIN … ADD CONSTRAINT, VALIDATE CONSTRAINT and SET NOT NULL read every table with a column of the domain, under SHARE: all their writes wait.
--: advice: Put a CHECK constraint on the table's column instead, NOT VALID first.
--: documentation: sql-alterdomain.html

--# given
CREATE DOMAIN money_amount AS numeric(12, 2);
ALTER TABLE orders ADD COLUMN tax money_amount DEFAULT 0;

--# bad, traced
ALTER DOMAIN money_amount ADD CONSTRAINT money_amount_check CHECK (VALUE >= 0);

--# bad, traced: a later VALIDATE takes the same lock
ALTER DOMAIN money_amount ADD CONSTRAINT money_amount_check CHECK (VALUE >= 0) NOT VALID;
--# next
ALTER DOMAIN money_amount VALIDATE CONSTRAINT money_amount_check;

--# good
ALTER TABLE orders ADD CONSTRAINT orders_tax_check CHECK (tax >= 0) NOT VALID;
--# next
ALTER TABLE orders VALIDATE CONSTRAINT orders_tax_check;

--# look-alike: NOT VALID reads nothing
ALTER DOMAIN money_amount ADD CONSTRAINT money_amount_check CHECK (VALUE >= 0) NOT VALID;

--# look-alike, traced: no table uses the domain
CREATE DOMAIN percentage AS int;
ALTER DOMAIN percentage ADD CONSTRAINT percentage_check CHECK (VALUE BETWEEN 0 AND 100);
