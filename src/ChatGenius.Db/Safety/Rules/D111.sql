--: name: privileges-lost
--: severity: warning
--: evidence: catalog
--: title: Dropping and creating it again forgets who may use it
--: effect: The new object has the same name and none of the grants, comments or owner of the old one: applications get "permission denied".
--: advice: CREATE OR REPLACE keeps them. Otherwise repeat the GRANTs.
--: documentation: ddl-priv.html

--# given
CREATE VIEW open_orders AS SELECT id FROM orders WHERE status = 'new';
GRANT SELECT ON open_orders TO pg_read_all_stats;

--# bad
DROP VIEW open_orders;
CREATE VIEW open_orders AS SELECT id, note FROM orders WHERE status = 'new';

--# good
CREATE OR REPLACE VIEW open_orders AS SELECT id, note FROM orders WHERE status = 'new';

--# look-alike: the grants are repeated
DROP VIEW open_orders;
CREATE VIEW open_orders AS SELECT id, note FROM orders WHERE status = 'new';
GRANT SELECT ON open_orders TO pg_read_all_stats;

--# look-alike, traced: it had none
CREATE VIEW big_orders AS SELECT id FROM orders WHERE amount > 100;
--# next
DROP VIEW big_orders;
CREATE VIEW big_orders AS SELECT id, amount FROM orders WHERE amount > 100;
