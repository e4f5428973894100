-- ==== 0006_create_view_online_users.sql
-- migrate:up

-- Columns by name: a * would be what the table has today. The view's owner's rights are used to read the table.
CREATE OR REPLACE VIEW online_users AS
SELECT id, name, status
FROM users
WHERE status = 'online';

-- migrate:down

DROP VIEW IF EXISTS online_users;
