CREATE TABLE b (n int, v text);
CREATE FUNCTION f1(a int) RETURNS int LANGUAGE sql
BEGIN ATOMIC
    SELECT 1;
    SELECT a + 1;
END;
CREATE OR REPLACE FUNCTION f2(a int) RETURNS text
BEGIN ATOMIC
    SELECT CASE WHEN a = 1 THEN 'one;' WHEN a = 2 THEN CASE a WHEN 2 THEN 'two;' END ELSE 'many' END;
END;
CREATE PROCEDURE p1(a int) LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO b VALUES (a, f2(a));
    INSERT INTO b SELECT a + 1, (CASE WHEN true THEN f2(a + 1) END);
END;
create or replace procedure p2() begin atomic end;
CALL p1(1);
CALL p2();
INSERT INTO b VALUES (f1(9), 'f1');
