-- ==== 0006_remove_content_from_messages.sql
-- The values are lost. First let no running version of the application read or write the column.
-- cgdb:allow-file down-does-not-restore: NOT NULL has to wait until there are values again; --set value=… gives one

-- migrate:up

-- cgdb:allow drop-column: todo: since when no running version of the application reads or writes it
ALTER TABLE messages
    DROP COLUMN IF EXISTS content;

-- migrate:down

-- The columns come back, their values don't.
ALTER TABLE messages
    ADD COLUMN content TEXT;
