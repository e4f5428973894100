-- ==== 0006_index_messages_on_user_id_and_created_at.sql
-- migrate:up transaction:false

-- CONCURRENTLY, and so outside a transaction: the build takes longer, but blocks nobody.
CREATE INDEX CONCURRENTLY messages_user_id_created_at_idx ON messages (user_id, created_at);

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS messages_user_id_created_at_idx;
