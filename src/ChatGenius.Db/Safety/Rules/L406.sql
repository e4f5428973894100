--: name: referenced-table-locked
--: severity: warning
--: evidence: traced
--: title: A foreign key's other table is locked for longer than a moment
--: effect: A new foreign key takes SHARE ROW EXCLUSIVE on the table that it refers to, so writes to it wait; dropping one, or its table, takes ACCESS EXCLUSIVE there. Without a lock_timeout, or with other work behind it in the transaction, that is not over in a moment.
--: advice: Do it in a small transaction of its own, with a lock_timeout.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT

--# bad, traced, L402
SET LOCAL lock_timeout = 0;
CREATE TABLE refunds (id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders (id));
CREATE INDEX refunds_order_id_idx ON refunds (order_id);

--# bad, traced, L401, L407, L101: slow work behind it
CREATE TABLE refunds (id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders (id));
CREATE INDEX refunds_order_id_idx ON refunds (order_id);
CREATE INDEX customers_name_idx ON customers (name);

--# good
CREATE TABLE refunds (id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders (id));
CREATE INDEX refunds_order_id_idx ON refunds (order_id);

--# look-alike: the table refers to itself
SET LOCAL lock_timeout = 0;
CREATE TABLE folders (id bigint PRIMARY KEY, parent_id bigint REFERENCES folders (id));

--# look-alike: both tables are new
SET LOCAL lock_timeout = 0;
CREATE TABLE folders (id bigint PRIMARY KEY);
CREATE TABLE files (id bigint PRIMARY KEY, folder_id bigint REFERENCES folders (id));
