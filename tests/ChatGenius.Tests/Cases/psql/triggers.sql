CREATE TABLE t (n int, changed timestamptz, note text);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS '
BEGIN
    NEW.note := ''touched; "it''''s"'';
    RETURN NEW;
END;
';
CREATE TRIGGER t_touch BEFORE INSERT OR UPDATE ON t FOR EACH ROW WHEN (NEW.n > 0) EXECUTE FUNCTION touch();
INSERT INTO t (n) VALUES (1), (0);
CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN NULL; END; $$;
CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION on_ddl();
DROP EVENT TRIGGER e;
