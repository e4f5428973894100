-- ==== 0006_create_view_recent_messages.sql
-- migrate:up

-- Columns by name: a * would be what the table has today. The view's owner's rights are used to read the table.
CREATE OR REPLACE VIEW recent_messages AS
SELECT id
FROM messages;

-- migrate:down

DROP VIEW IF EXISTS recent_messages;
