-- ==== 0006_remove_email_and_status_from_users.sql
-- The values are lost. First let no running version of the application read or write the column.

-- migrate:up

-- cgdb:allow drop-column: todo: since when no running version of the application reads or writes it
ALTER TABLE users
    DROP COLUMN IF EXISTS email,
    DROP COLUMN IF EXISTS status;

-- migrate:down

-- The columns come back, their values don't.
ALTER TABLE users
    ADD COLUMN status TEXT DEFAULT 'offline',
    ADD COLUMN email TEXT NOT NULL DEFAULT '';

ALTER TABLE users ALTER COLUMN email DROP DEFAULT;
