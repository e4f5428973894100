--# bad, traced
SET LOCAL lock_timeout = 0;
ALTER TABLE orders ADD COLUMN pieces int;

--# good
SET LOCAL lock_timeout = '3s';
ALTER TABLE orders ADD COLUMN pieces int;

--# look-alike: the tool's own lock_timeout is left as it is
ALTER TABLE orders ADD COLUMN pieces int;

--# look-alike: nobody else can want a new table
SET LOCAL lock_timeout = 0;
CREATE TABLE refunds (id bigint PRIMARY KEY);
