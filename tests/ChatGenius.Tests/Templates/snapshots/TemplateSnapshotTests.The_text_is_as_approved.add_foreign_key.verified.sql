-- ==== 0006_add_fk_to_messages_on_reply_to_id.sql
-- Every delete in messages looks for reply_to_id in messages. If no index starts with it, make one first:
--     chatgenius-db new index_messages_on_reply_to_id

-- migrate:up

-- NOT VALID holds for new rows at once and reads no old ones, so the locks on both tables are short.
ALTER TABLE messages
    ADD CONSTRAINT messages_reply_to_id_fkey FOREIGN KEY (reply_to_id) REFERENCES messages (id) ON DELETE SET NULL NOT VALID;

-- migrate:down

ALTER TABLE messages
    DROP CONSTRAINT IF EXISTS messages_reply_to_id_fkey;

-- ==== 0007_validate_messages_reply_to_id_fkey.sql
-- migrate:up

-- Reads all rows, while others read and write. A row that doesn't fit makes it fail; mend the row and apply again.
ALTER TABLE messages VALIDATE CONSTRAINT messages_reply_to_id_fkey;

-- migrate:down

ALTER TABLE messages
    DROP CONSTRAINT messages_reply_to_id_fkey,
    ADD CONSTRAINT messages_reply_to_id_fkey FOREIGN KEY (reply_to_id) REFERENCES messages (id) ON DELETE SET NULL NOT VALID;
