-- ==== 0006_add_unique_user_id_and_created_at_to_status_history.sql
-- Rows that are there twice make the build fail. To find them:
--     SELECT user_id, created_at, count(*) FROM status_history GROUP BY user_id, created_at HAVING count(*) > 1;

-- migrate:up transaction:false

CREATE UNIQUE INDEX CONCURRENTLY status_history_user_id_created_at_key ON status_history (user_id, created_at);

ALTER TABLE status_history ADD CONSTRAINT status_history_user_id_created_at_key UNIQUE USING INDEX status_history_user_id_created_at_key;

-- migrate:down

ALTER TABLE status_history DROP CONSTRAINT IF EXISTS status_history_user_id_created_at_key;
