-- ==== 0006_remove_index_from_messages_on_thread_id.sql
-- migrate:up transaction:false

DROP INDEX CONCURRENTLY IF EXISTS messages_thread_id_idx;

-- migrate:down transaction:false

CREATE INDEX CONCURRENTLY messages_thread_id_idx ON messages (thread_id);
