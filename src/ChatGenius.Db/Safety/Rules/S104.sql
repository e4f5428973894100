--: name: duplicate-index
--: severity: warning
--: evidence: catalog
--: title: Two indexes are the same
--: effect: Every write keeps both, and no query gains from the second.
--: advice: Keep one.
--: documentation: indexes-intro.html

--# bad
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY orders_status_again_idx ON orders (status);

--# bad: a unique one serves as well
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY orders_id_idx ON orders (id);

--# good
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY orders_status_placed_idx ON orders (status, placed_at);

--# look-alike: partial
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY orders_new_idx ON orders (status) WHERE status = 'new';

--# look-alike: another operator class
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY orders_status_like_idx ON orders (status varchar_pattern_ops);

--# look-alike: the old one is dropped in its favour
-- migrate:up transaction:false
DROP INDEX CONCURRENTLY orders_status_idx;
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_by_status_idx ON orders (status);
