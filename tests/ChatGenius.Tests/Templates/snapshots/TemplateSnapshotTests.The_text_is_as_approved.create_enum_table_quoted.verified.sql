-- ==== 0006_create_order_lookup.sql
-- A column takes its values from it like this: kind:text=public:references("order".value):restrict

-- migrate:up

CREATE TABLE IF NOT EXISTS "order" (
    value       TEXT PRIMARY KEY,
    position    INTEGER NOT NULL,
    created_at  TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);

INSERT INTO "order" (value, position)
VALUES
    ('it''s one', 1),
    (E'\\two', 2)
ON CONFLICT DO NOTHING;

-- migrate:down

DROP TABLE IF EXISTS "order";
