-- ==== 0006_remove_title_from_users.sql
-- The values are lost. First let no running version of the application read or write the column.

-- migrate:up

-- cgdb:allow drop-column: todo: since when no running version of the application reads or writes it
ALTER TABLE users
    DROP COLUMN IF EXISTS title;

-- To make this reversible, give the types: a down that adds the columns again takes this one's place.
-- migrate:down irreversible:true
