-- ==== 0006_validate_channels_type_check_on_channels.sql
-- migrate:up

-- Reads all rows, while others read and write. A row that doesn't fit makes it fail; mend the row and apply again.
ALTER TABLE channels VALIDATE CONSTRAINT channels_type_check;

-- migrate:down

ALTER TABLE channels
    DROP CONSTRAINT channels_type_check,
    ADD CONSTRAINT channels_type_check CHECK (length(type) > 0) NOT VALID;
