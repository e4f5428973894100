-- ==== 0006_create_orders.sql
-- migrate:up

CREATE TABLE IF NOT EXISTS orders (
    id          UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    buyer_id    UUID NOT NULL,
    order_id    UUID,
    price       NUMERIC(10, 2) NOT NULL,
    state       TEXT NOT NULL DEFAULT 'open',
    tags        TEXT[] NOT NULL DEFAULT '{}',
    "Größe"     INTEGER,
    number      BIGINT GENERATED ALWAYS AS IDENTITY NOT NULL,
    due_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    meta        JSONB NOT NULL DEFAULT '{}',
    created_at  TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at  TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT orders_buyer_id_fkey FOREIGN KEY (buyer_id) REFERENCES users (id) ON DELETE RESTRICT,
    CONSTRAINT orders_order_id_fkey FOREIGN KEY (order_id) REFERENCES messages (id) ON DELETE SET NULL,
    CONSTRAINT orders_number_key UNIQUE (number),
    CONSTRAINT orders_price_check CHECK (price>0)
);

CREATE INDEX IF NOT EXISTS orders_state_idx ON orders (state);

CREATE INDEX IF NOT EXISTS orders_buyer_id_idx ON orders (buyer_id);

CREATE INDEX IF NOT EXISTS orders_order_id_idx ON orders (order_id);

-- migrate:down

DROP TABLE IF EXISTS orders;
