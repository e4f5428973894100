-- ==== 0006_drop_invites.sql
-- The rows are lost. First let no running version of the application use the table.

-- migrate:up

-- cgdb:allow drop-table: todo: since when no running version of the application uses it
DROP TABLE IF EXISTS invites;

-- To make this reversible, give the columns: a down that creates the table again takes this one's place.
-- migrate:down irreversible:true
