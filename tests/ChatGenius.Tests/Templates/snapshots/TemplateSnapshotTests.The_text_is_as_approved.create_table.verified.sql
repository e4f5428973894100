-- ==== 0006_add_reactions.sql
-- migrate:up

CREATE TABLE IF NOT EXISTS reactions (
    id          UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    message_id  UUID NOT NULL,
    user_id     UUID NOT NULL,
    emoji       TEXT NOT NULL,
    count       INTEGER NOT NULL DEFAULT 0,
    note        TEXT,
    created_at  TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at  TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT reactions_message_id_fkey FOREIGN KEY (message_id) REFERENCES messages (id) ON DELETE CASCADE,
    CONSTRAINT reactions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT reactions_message_id_user_id_emoji_key UNIQUE (message_id, user_id, emoji)
);

CREATE INDEX IF NOT EXISTS reactions_user_id_idx ON reactions (user_id);

-- migrate:down

DROP TABLE IF EXISTS reactions;
