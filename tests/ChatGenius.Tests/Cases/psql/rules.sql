CREATE TABLE r (n int, v text);
CREATE TABLE r_log (n int, v text);
CREATE RULE r_insert AS ON INSERT TO r DO ALSO (
    INSERT INTO r_log VALUES (NEW.n, 'one; (');
    INSERT INTO r_log VALUES (NEW.n, 'two; )');
);
INSERT INTO r VALUES (1, 'a');
CREATE RULE r_delete AS ON DELETE TO r DO INSTEAD (UPDATE r SET v = 'gone' WHERE n = OLD.n; INSERT INTO r_log VALUES (OLD.n, 'deleted'));
DELETE FROM r;
