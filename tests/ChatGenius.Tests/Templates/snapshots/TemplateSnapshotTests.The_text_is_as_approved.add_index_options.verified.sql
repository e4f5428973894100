-- ==== 0006_add_index_to_messages_on_attachments.sql
-- migrate:up transaction:false

-- CONCURRENTLY, and so outside a transaction: the build takes longer, but blocks nobody.
CREATE INDEX CONCURRENTLY messages_attachments_idx ON messages USING gin (attachments) WHERE attachments IS NOT NULL;

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS messages_attachments_idx;
