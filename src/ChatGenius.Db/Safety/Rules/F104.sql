--: name: not-in-transaction
--: severity: error
--: evidence: traced
--: title: The statement can't run in a transaction, and the migration is one
--: effect: PostgreSQL refuses it (25001), and nothing of the migration stays.
--: advice: Put it in a file of its own with transaction:false.
--: documentation: sql-begin.html

--# bad
CREATE INDEX CONCURRENTLY orders_placed_at_idx ON orders (placed_at);

--# bad
VACUUM orders;

--# good
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY orders_placed_at_idx ON orders (placed_at);

--# look-alike: REFRESH CONCURRENTLY may run in a transaction
CREATE MATERIALIZED VIEW best AS SELECT id FROM customers;
CREATE UNIQUE INDEX best_id_idx ON best (id);
REFRESH MATERIALIZED VIEW CONCURRENTLY best;

--# look-alike: the words of a comment
COMMENT ON TABLE orders IS 'CREATE INDEX CONCURRENTLY is better';
