--: name: matview-refresh-blocks
--: severity: warning
--: evidence: traced
--: title: A materialized view is refreshed while its readers wait
--: effect: REFRESH MATERIALIZED VIEW holds ACCESS EXCLUSIVE on the view while its query runs.
--: advice: REFRESH … CONCURRENTLY, which needs a unique index on the view and lets reads go on.
--: documentation: sql-refreshmaterializedview.html

--# given
CREATE MATERIALIZED VIEW totals AS SELECT customer_id, sum(amount) AS total FROM orders GROUP BY customer_id;
CREATE UNIQUE INDEX totals_customer_id_idx ON totals (customer_id);

--# bad
REFRESH MATERIALIZED VIEW totals;

--# good
REFRESH MATERIALIZED VIEW CONCURRENTLY totals;

--# look-alike: the view is new
CREATE MATERIALIZED VIEW best AS SELECT id FROM customers LIMIT 10;

--# look-alike: an ordinary view is replaced
CREATE OR REPLACE VIEW best_customers AS SELECT id FROM customers;
