--# bad, on 140003
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY orders_placed_at_idx ON orders (placed_at);

--# good, on 140004
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY orders_placed_at_idx ON orders (placed_at);

--# look-alike, on 140003: a plain build is safe there
CREATE INDEX orders_placed_at_idx ON orders (placed_at);

--# look-alike, on 140003: so is DROP INDEX CONCURRENTLY
-- migrate:up transaction:false
DROP INDEX CONCURRENTLY orders_status_idx;
