-- ==== 0006_change_type_of_type_in_channels.sql
-- Where PostgreSQL can keep the rows as they are (varchar to text, a longer varchar), one statement does instead:
--     ALTER TABLE channels ALTER COLUMN type TYPE VARCHAR(40);
--
-- Step 1 of 3: a column of the new type, kept in step by a trigger. Step 2, in the next file, fills the rows that are there.
-- Step 3, in a migration of its own, swaps the two; give type_new its indexes, constraints and default before:
--     DROP TRIGGER channels_type_new_sync ON channels;
--     DROP FUNCTION channels_type_new_sync();
--     ALTER TABLE channels DROP COLUMN type;
--     ALTER TABLE channels RENAME COLUMN type_new TO type;

-- migrate:up

ALTER TABLE channels ADD COLUMN type_new VARCHAR(40);

CREATE OR REPLACE FUNCTION channels_type_new_sync() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.type_new := CAST(NEW.type AS VARCHAR(40));
    RETURN NEW;
END
$$;

CREATE TRIGGER channels_type_new_sync
    BEFORE INSERT OR UPDATE ON channels
    FOR EACH ROW EXECUTE FUNCTION channels_type_new_sync();

-- migrate:down

DROP TRIGGER IF EXISTS channels_type_new_sync ON channels;

DROP FUNCTION IF EXISTS channels_type_new_sync();

ALTER TABLE channels DROP COLUMN IF EXISTS type_new;

-- ==== 0007_backfill_type_new_in_channels.sql
-- migrate:up batch:channels key:id

-- Each batch commits by itself, so locks are short; after an interruption the next run goes on after the last one.
UPDATE channels
SET type_new = CAST(type AS VARCHAR(40))
WHERE id BETWEEN :batch_first AND :batch_last
    AND (type_new IS DISTINCT FROM CAST(type AS VARCHAR(40)));

-- migrate:down

-- Nothing to undo: which values were filled in can't be told, and they do no harm.
SELECT 1;
