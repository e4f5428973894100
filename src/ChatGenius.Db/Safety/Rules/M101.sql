--: name: no-down
--: severity: warning
--: evidence: text
--: refused: CG0317
--: title: There is no way back
--: effect: The down section is empty, so rollback takes the migration out of the history and leaves what it did.
--: advice: Write it, or say -- migrate:down irreversible:true.
--: documentation: ddl.html

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
