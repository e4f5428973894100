--: name: combine-alters
--: severity: info
--: evidence: traced
--: title: Two ALTER TABLE of one table each read it whole
--: effect: Every one scans or rewrites the table; together they would do it once.
--: advice: One ALTER TABLE with several actions.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-NOTES

--# bad, traced, L202, F103, L401
ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0);
ALTER TABLE orders ADD CONSTRAINT orders_note_check CHECK (note <> '');

--# good, L202, F103
ALTER TABLE orders
    ADD CONSTRAINT orders_amount_check CHECK (amount >= 0),
    ADD CONSTRAINT orders_note_check CHECK (note <> '');

--# look-alike: neither reads the table
ALTER TABLE orders ADD COLUMN pieces int;
ALTER TABLE orders ADD COLUMN colour text;

--# look-alike: two migrations
ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0);
--# next
ALTER TABLE orders ADD CONSTRAINT orders_note_check CHECK (note <> '');
