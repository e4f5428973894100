-- ==== 0006_create_order.sql
-- migrate:up

CREATE TABLE IF NOT EXISTS "order" (
    id          UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id     UUID,
    "select"    TEXT NOT NULL,
    "Ünï"       INTEGER,
    "when"      TIMESTAMP WITH TIME ZONE,
    created_at  TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at  TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT order_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT order_user_id_select_key UNIQUE (user_id, "select"),
    CONSTRAINT order_select_check CHECK ("select"<>'')
);

CREATE INDEX IF NOT EXISTS "order_Ünï_idx" ON "order" ("Ünï");

-- migrate:down

DROP TABLE IF EXISTS "order";
