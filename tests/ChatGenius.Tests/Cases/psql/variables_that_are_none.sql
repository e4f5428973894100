CREATE TABLE v (n int[], t text, j jsonb);
INSERT INTO v VALUES ('{1,2,3}', 'a:b', '{"a":"b:c"}');
INSERT INTO v SELECT n[1:2], ':name', jsonb_build_object('k', t::text) FROM v;
INSERT INTO v SELECT n[:2], ':''name''', '[1,2]'::jsonb FROM v;
CREATE FUNCTION named(a int, b text) RETURNS text LANGUAGE sql AS 'SELECT a || b';
INSERT INTO v (t) SELECT named(b := 'x', a => 1);
DO $$ DECLARE i int := 1; BEGIN i:=i+1; INSERT INTO v (t) VALUES ('i'||i); END $$;
