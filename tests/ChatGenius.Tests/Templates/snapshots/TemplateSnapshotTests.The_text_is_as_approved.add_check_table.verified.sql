-- ==== 0006_add_check_to_users.sql
-- migrate:up

-- NOT VALID holds for new rows at once and reads no old ones, so the lock is short.
ALTER TABLE users ADD CONSTRAINT users_email_length CHECK (length(email) < 320) NOT VALID;

-- migrate:down

ALTER TABLE users DROP CONSTRAINT IF EXISTS users_email_length;

-- ==== 0007_validate_users_email_length.sql
-- migrate:up

-- Reads all rows, while others read and write. A row that doesn't fit makes it fail; mend the row and apply again.
ALTER TABLE users VALIDATE CONSTRAINT users_email_length;

-- migrate:down

ALTER TABLE users
    DROP CONSTRAINT users_email_length,
    ADD CONSTRAINT users_email_length CHECK (length(email) < 320) NOT VALID;
