--: name: function-overload-added
--: severity: warning
--: evidence: catalog
--: title: CREATE OR REPLACE replaced nothing: there are two functions of the name now
--: effect: Other arguments make another function. The old one stays, and calls that fit both fail as ambiguous.
--: advice: Drop the old signature in the same migration, when no code calls it.
--: documentation: sql-createfunction.html#SQL-CREATEFUNCTION-OVERLOADING

--# given
CREATE FUNCTION total(customer bigint) RETURNS numeric LANGUAGE sql AS 'SELECT sum(amount) FROM orders WHERE customer_id = customer';

--# bad
CREATE OR REPLACE FUNCTION total(customer bigint, since timestamptz DEFAULT '-infinity') RETURNS numeric LANGUAGE sql AS 'SELECT sum(amount) FROM orders WHERE customer_id = customer AND placed_at > since';

--# good, C108
DROP FUNCTION total(bigint);
CREATE OR REPLACE FUNCTION total(customer bigint, since timestamptz DEFAULT '-infinity') RETURNS numeric LANGUAGE sql AS 'SELECT sum(amount) FROM orders WHERE customer_id = customer AND placed_at > since';

--# look-alike: the same arguments
CREATE OR REPLACE FUNCTION total(customer bigint) RETURNS numeric LANGUAGE sql AS 'SELECT 0::numeric';

--# look-alike: CREATE alone means another function
CREATE FUNCTION total(customer text) RETURNS numeric LANGUAGE sql AS 'SELECT 0::numeric';
