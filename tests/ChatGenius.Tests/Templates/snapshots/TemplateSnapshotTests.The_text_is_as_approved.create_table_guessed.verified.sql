-- ==== 0006_add_polls.sql
-- migrate:up

CREATE TABLE IF NOT EXISTS polls (
    id          UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    channel_id  UUID NOT NULL,
    question    TEXT NOT NULL,
    is_open     BOOLEAN NOT NULL DEFAULT false,
    vote_count  INTEGER NOT NULL DEFAULT 0,
    closes_at   TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at  TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at  TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT polls_channel_id_fkey FOREIGN KEY (channel_id) REFERENCES channels (id) ON DELETE CASCADE
);

CREATE INDEX IF NOT EXISTS polls_channel_id_idx ON polls (channel_id);

-- migrate:down

DROP TABLE IF EXISTS polls;
