CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, a text, b text GENERATED ALWAYS AS (a || ';') STORED, CHECK (a <> ';'), CHECK (a !~ '[;(]'));
INSERT INTO t (a) VALUES ('x'), ('y');
CREATE VIEW v AS WITH w AS (SELECT a, CASE WHEN b = ';' THEN 1 ELSE 2 END AS "end" FROM t) SELECT a, w."end" AS "begin", w.end FROM w;
CREATE MATERIALIZED VIEW m AS SELECT array_agg(a ORDER BY a) AS all_of_them FROM v;
CREATE POLICY p ON t USING ((a = current_user) OR (b LIKE '%;%'));
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON t TO PUBLIC;
COMMENT ON COLUMN t.a IS 'a; (b';
