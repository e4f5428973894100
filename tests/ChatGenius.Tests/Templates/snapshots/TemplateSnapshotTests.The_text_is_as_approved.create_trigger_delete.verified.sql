-- ==== 0006_add_keep_trigger_to_messages.sql
-- migrate:up

CREATE OR REPLACE FUNCTION messages_keep() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM 1;
    RETURN COALESCE(NEW, OLD);
END
$$;

DROP TRIGGER IF EXISTS messages_keep ON messages;

CREATE TRIGGER messages_keep
    BEFORE INSERT OR DELETE ON messages
    FOR EACH ROW EXECUTE FUNCTION messages_keep();

-- migrate:down

DROP TRIGGER IF EXISTS messages_keep ON messages;

DROP FUNCTION IF EXISTS messages_keep();
