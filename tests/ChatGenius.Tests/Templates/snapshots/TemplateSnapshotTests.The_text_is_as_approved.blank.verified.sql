-- ==== 0006_tidy_up.sql
-- migrate:up


-- migrate:down
