-- ==== 0006_add_check_to_channels_on_type.sql
-- migrate:up

-- NOT VALID holds for new rows at once and reads no old ones, so the lock is short.
ALTER TABLE channels ADD CONSTRAINT channels_type_check CHECK (type IN ('public', 'private')) NOT VALID;

-- migrate:down

ALTER TABLE channels DROP CONSTRAINT IF EXISTS channels_type_check;

-- ==== 0007_validate_channels_type_check.sql
-- migrate:up

-- Reads all rows, while others read and write. A row that doesn't fit makes it fail; mend the row and apply again.
ALTER TABLE channels VALIDATE CONSTRAINT channels_type_check;

-- migrate:down

ALTER TABLE channels
    DROP CONSTRAINT channels_type_check,
    ADD CONSTRAINT channels_type_check CHECK (type IN ('public', 'private')) NOT VALID;
