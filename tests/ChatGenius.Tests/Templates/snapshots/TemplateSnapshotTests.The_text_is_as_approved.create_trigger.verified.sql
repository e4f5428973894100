-- ==== 0006_add_touch_trigger_to_messages.sql
-- migrate:up

CREATE OR REPLACE FUNCTION messages_touch() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.updated_at := CURRENT_TIMESTAMP;
    RETURN NEW;
END
$$;

DROP TRIGGER IF EXISTS messages_touch ON messages;

CREATE TRIGGER messages_touch
    BEFORE UPDATE ON messages
    FOR EACH ROW EXECUTE FUNCTION messages_touch();

-- migrate:down

DROP TRIGGER IF EXISTS messages_touch ON messages;

DROP FUNCTION IF EXISTS messages_touch();
