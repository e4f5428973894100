-- ==== 0006_create_join_table_pinned_messages.sql
-- migrate:up

CREATE TABLE IF NOT EXISTS pinned_messages (
    id          UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    channel_id  UUID NOT NULL,
    message_id  UUID NOT NULL,
    "position"  INTEGER NOT NULL DEFAULT 0,
    created_at  TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT pinned_messages_channel_id_fkey FOREIGN KEY (channel_id) REFERENCES channels (id) ON DELETE CASCADE,
    CONSTRAINT pinned_messages_message_id_fkey FOREIGN KEY (message_id) REFERENCES messages (id) ON DELETE CASCADE,
    CONSTRAINT pinned_messages_channel_id_message_id_key UNIQUE (channel_id, message_id)
);

-- The unique constraint finds the pairs by its first column, the index by the other one.
CREATE INDEX IF NOT EXISTS pinned_messages_message_id_idx ON pinned_messages (message_id);

-- migrate:down

DROP TABLE IF EXISTS pinned_messages;
