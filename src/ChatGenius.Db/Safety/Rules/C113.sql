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
