--: name: no-lock-timeout
--: severity: warning
--: evidence: traced
--: title: A table is locked without a limit to the wait
--: effect: With lock_timeout = 0 the statement waits for the longest query on the table, and every query that comes later waits behind it.
--: advice: Leave the tool's lock_timeout as it is: it gives up in time and tries again.
--: documentation: runtime-config-client.html#GUC-LOCK-TIMEOUT

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
