--: name: unused-allow
--: severity: warning
--: evidence: text
--: title: A cgdb:allow covers nothing, or is past its date
--: effect: It would hide a hazard that comes later and that nobody has thought about.
--: advice: Remove it.
--: documentation: sql-syntax-lexical.html#SQL-SYNTAX-COMMENTS

--# bad
-- cgdb:allow drop-column: nothing here drops one
ALTER TABLE orders ADD COLUMN pieces int;

--# bad, D102: past its date
-- cgdb:allow drop-column until=2020-01-31: the old application reads it until then
ALTER TABLE orders DROP COLUMN note;

--# good
-- cgdb:allow drop-column(orders.note): replaced by remark two releases ago
ALTER TABLE orders DROP COLUMN note;

--# look-alike: the words of a string
COMMENT ON TABLE orders IS '
-- cgdb:allow drop-column: no comment of SQL
';

--# look-alike: a block comment
/*
-- cgdb:allow drop-column: neither is this
*/
ALTER TABLE orders ADD COLUMN pieces int;
