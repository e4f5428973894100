-- ==== 0006_create_join_table_channels_users.sql
-- migrate:up

CREATE TABLE IF NOT EXISTS channels_users (
    id          UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    channel_id  UUID NOT NULL,
    user_id     UUID NOT NULL,
    created_at  TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT channels_users_channel_id_fkey FOREIGN KEY (channel_id) REFERENCES channels (id) ON DELETE CASCADE,
    CONSTRAINT channels_users_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT channels_users_channel_id_user_id_key UNIQUE (channel_id, user_id)
);

-- The unique constraint finds the pairs by its first column, the index by the other one.
CREATE INDEX IF NOT EXISTS channels_users_user_id_idx ON channels_users (user_id);

-- migrate:down

DROP TABLE IF EXISTS channels_users;
