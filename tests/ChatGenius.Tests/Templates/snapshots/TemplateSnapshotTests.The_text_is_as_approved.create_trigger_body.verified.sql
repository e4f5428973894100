-- ==== 0006_create_trigger_on_channels.sql
-- migrate:up

CREATE OR REPLACE FUNCTION channels_lower_slug() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.slug := lower(NEW.slug);
    RETURN NEW;
END
$$;

DROP TRIGGER IF EXISTS channels_lower_slug ON channels;

CREATE TRIGGER channels_lower_slug
    BEFORE INSERT OR UPDATE ON channels
    FOR EACH ROW EXECUTE FUNCTION channels_lower_slug();

-- migrate:down

DROP TRIGGER IF EXISTS channels_lower_slug ON channels;

DROP FUNCTION IF EXISTS channels_lower_slug();
