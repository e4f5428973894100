--: name: dynamic-sql
--: severity: info
--: evidence: text
--: title: What this code does can't be read from its text
--: effect: The statement could not be run on the throw-away database, and a DO block or CALL can do anything.
--: advice: Make it run there, so that its effects are seen.
--: documentation: sql-do.html

--# bad, untraced
DO $$ BEGIN EXECUTE 'ALTER TABLE orders ADD COLUMN pieces int'; END $$;

--# good
ALTER TABLE orders ADD COLUMN pieces int;

--# look-alike: the word is in a comment
COMMENT ON TABLE orders IS 'DO not touch';

--# look-alike: ON CONFLICT DO NOTHING
INSERT INTO customers VALUES (1, 'a', 'b') ON CONFLICT DO NOTHING;
