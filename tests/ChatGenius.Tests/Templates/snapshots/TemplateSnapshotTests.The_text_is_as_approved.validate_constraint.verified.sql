-- ==== 0006_validate_messages_user_id_fkey_on_messages.sql
-- migrate:up

-- Reads all rows, while others read and write. A row that doesn't fit makes it fail; mend the row and apply again.
ALTER TABLE messages VALIDATE CONSTRAINT messages_user_id_fkey;

-- migrate:down

-- Nothing to undo: what is proved may stay so.
SELECT 1;
