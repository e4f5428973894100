-- ==== 0006_remove_reply_to_id_from_messages.sql
-- The values are lost. First let no running version of the application read or write the column.

-- migrate:up

-- cgdb:allow drop-column: todo: since when no running version of the application reads or writes it
ALTER TABLE messages
    DROP COLUMN IF EXISTS reply_to_id;

-- migrate:down

-- The columns come back, their values don't.
ALTER TABLE messages
    ADD COLUMN reply_to_id UUID
        CONSTRAINT messages_reply_to_id_fkey REFERENCES messages (id) ON DELETE SET NULL;

CREATE INDEX IF NOT EXISTS messages_reply_to_id_idx ON messages (reply_to_id);
