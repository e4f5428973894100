CREATE TABLE b (n int, v text);
/* before */ CREATE /* ; */ OR -- ;
REPLACE FUNCTION f(begin_at int, "begin" int) RETURNS SETOF b
    BEGIN -- END;
    /* END; */ ATOMIC
    SELECT 1, 'END;' WHERE (SELECT count(*) FROM b) >= 0;
    SELECT begin_at, $$END;$$ FROM (SELECT CASE WHEN true THEN 1 END) AS x;
END;
INSERT INTO b SELECT * FROM f(1, 2);
