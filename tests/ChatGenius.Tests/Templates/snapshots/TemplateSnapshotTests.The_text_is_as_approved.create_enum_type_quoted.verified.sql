-- ==== 0006_add_order_enum.sql
-- A value can't be taken out of a type again; where that may be wanted: --template create_enum_table

-- migrate:up

CREATE TYPE "order" AS ENUM ('so so', 'very good');

-- migrate:down

DROP TYPE IF EXISTS "order";
