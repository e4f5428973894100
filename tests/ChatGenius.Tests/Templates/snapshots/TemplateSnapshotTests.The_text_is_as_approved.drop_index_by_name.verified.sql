-- ==== 0006_drop_index_messages_thread_id_idx.sql
-- migrate:up transaction:false

DROP INDEX CONCURRENTLY IF EXISTS messages_thread_id_idx;

-- To make this reversible, give the columns and --set table=…
-- migrate:down irreversible:true
