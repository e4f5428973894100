--: name: fk-type-mismatch
--: severity: warning
--: evidence: catalog
--: title: A foreign key's column has another type than the key it refers to
--: effect: A narrower one runs out of numbers first, and every lookup converts.
--: advice: Give both the same type.
--: documentation: ddl-constraints.html#DDL-CONSTRAINTS-FK

--# bad
CREATE TABLE refunds (id bigint PRIMARY KEY, order_id int NOT NULL REFERENCES orders (id));
CREATE INDEX refunds_order_id_idx ON refunds (order_id);

--# good
CREATE TABLE refunds (id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders (id));
CREATE INDEX refunds_order_id_idx ON refunds (order_id);

--# look-alike: int refers to int
CREATE TABLE kinds (id int PRIMARY KEY);
CREATE TABLE things (id bigint PRIMARY KEY, kind_id int REFERENCES kinds (id));

--# look-alike: lengths do not count
CREATE TABLE codes (code varchar(5) PRIMARY KEY);
CREATE TABLE uses (id bigint PRIMARY KEY, code varchar(10) REFERENCES codes (code));
