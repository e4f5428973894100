--# bad, untraced
DO $$ BEGIN EXECUTE 'ALTER TABLE orders ADD COLUMN pieces int'; END $$;

--# good
ALTER TABLE orders ADD COLUMN pieces int;

--# look-alike: the word is in a comment
COMMENT ON TABLE orders IS 'DO not touch';

--# look-alike: ON CONFLICT DO NOTHING
INSERT INTO customers VALUES (1, 'a', 'b') ON CONFLICT DO NOTHING;
