-- ==== 0006_add_support_for_threads.sql
-- migrate:up


-- migrate:down
