-- ==== 0006_add_unique_to_users_on_email.sql
-- Rows that are there twice make the build fail. To find them:
--     SELECT email, count(*) FROM users GROUP BY email HAVING count(*) > 1;

-- migrate:up transaction:false

CREATE UNIQUE INDEX CONCURRENTLY users_email_key ON users (email);

ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE USING INDEX users_email_key;

-- migrate:down

ALTER TABLE users DROP CONSTRAINT IF EXISTS users_email_key;
