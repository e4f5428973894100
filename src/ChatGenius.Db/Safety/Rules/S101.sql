--: name: fk-without-index
--: severity: warning
--: evidence: catalog
--: title: A new foreign key has no index on its own columns
--: effect: Every DELETE and key UPDATE of the referenced table reads the whole referencing one, once for each row.
--: advice: Build an index that begins with the columns, in any order.
--: documentation: ddl-constraints.html#DDL-CONSTRAINTS-FK

--# bad
CREATE TABLE refunds (id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders (id));

--# bad: the index begins with another column
CREATE TABLE refunds (id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders (id));
CREATE INDEX refunds_id_order_id_idx ON refunds (id, order_id);

--# bad: a partial index misses rows
CREATE TABLE refunds (id bigint PRIMARY KEY, order_id bigint REFERENCES orders (id), gone boolean);
CREATE INDEX refunds_order_id_idx ON refunds (order_id) WHERE NOT gone;

--# good
CREATE TABLE refunds (id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders (id));
CREATE INDEX refunds_order_id_idx ON refunds (order_id);

--# look-alike: in any order, with more behind
CREATE TABLE pairs (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE pair_notes (id bigint PRIMARY KEY, a int, b int, FOREIGN KEY (a, b) REFERENCES pairs (a, b));
CREATE INDEX pair_notes_idx ON pair_notes (b, a, id);

--# look-alike: only NULLs are left out
CREATE TABLE refunds (id bigint PRIMARY KEY, order_id bigint REFERENCES orders (id));
CREATE INDEX refunds_order_id_idx ON refunds (order_id) WHERE order_id IS NOT NULL;

--# look-alike, from 18: a key that is not enforced looks nothing up
ALTER TABLE orders ADD COLUMN referrer_id bigint;
ALTER TABLE orders ADD CONSTRAINT orders_referrer_id_fkey FOREIGN KEY (referrer_id) REFERENCES customers (id) NOT ENFORCED;
