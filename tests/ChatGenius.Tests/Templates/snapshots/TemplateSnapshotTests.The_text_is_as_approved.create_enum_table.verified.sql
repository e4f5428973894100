-- ==== 0006_create_lookup_channel_kinds.sql
-- A column takes its values from it like this: kind:text=public:references(channel_kinds.value):restrict

-- migrate:up

CREATE TABLE IF NOT EXISTS channel_kinds (
    value       TEXT PRIMARY KEY,
    position    INTEGER NOT NULL,
    created_at  TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);

INSERT INTO channel_kinds (value, position)
VALUES
    ('public', 1),
    ('private', 2),
    ('direct', 3)
ON CONFLICT DO NOTHING;

-- migrate:down

DROP TABLE IF EXISTS channel_kinds;
