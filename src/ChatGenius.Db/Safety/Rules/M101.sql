--# bad
-- migrate:up
CREATE TABLE refunds (id bigint PRIMARY KEY);
-- migrate:down

--# good
-- migrate:up
CREATE TABLE refunds (id bigint PRIMARY KEY);
-- migrate:down
DROP TABLE refunds;

--# look-alike: it says that there is no way back
-- migrate:up
UPDATE orders SET note = 'x' WHERE id = 1;
-- migrate:down irreversible:true

--# look-alike: a comment, and then a statement
-- migrate:up
CREATE TABLE refunds (id bigint PRIMARY KEY);
-- migrate:down
-- nothing else uses it
DROP TABLE refunds;
