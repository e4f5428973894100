--: name: concurrent-index-corruption
--: severity: error
--: evidence: text
--: title: The target's version builds concurrent indexes that miss rows
--: effect: In PostgreSQL 14.0 to 14.3 CREATE INDEX and REINDEX CONCURRENTLY can leave out rows that change meanwhile.
--: advice: Upgrade to 14.4 or later, and REINDEX what was built before.
--: documentation: release-14-4.html

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
