CREATE TABLE d (n int, v text);
INSERT INTO d VALUES (1, $$;$$), (2, $tag$; $$ ; $tag$), (3, $a$ $b$; $a$), (4, $a$ $ab$ $$a;$a$), (5, $$$$);
INSERT INTO d VALUES (6, $ä_1$;$ä_1$), (7, $x$$x$), (8, $x$ $X$ ; $x$);
CREATE FUNCTION outer_function() RETURNS text LANGUAGE plpgsql AS $outer$
DECLARE
    result text;
BEGIN
    EXECUTE $inner$ SELECT $q$a;'b$q$ || 'c;' $inner$ INTO result;
    -- $outer is not the end, and neither is outer$
    RETURN result || $$;$$;
END;
$outer$;
INSERT INTO d SELECT 9, outer_function();
DO $do$ BEGIN IF 1 <> 2 THEN INSERT INTO d VALUES (10, 'do;'); END IF; END $do$;
