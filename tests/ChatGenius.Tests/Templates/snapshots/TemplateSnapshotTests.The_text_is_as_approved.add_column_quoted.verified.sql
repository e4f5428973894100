-- ==== 0006_add_order_to_channels.sql
-- migrate:up

-- cgdb:allow fk-without-index: the index follows in a migration of its own
ALTER TABLE channels
    ADD COLUMN "order" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN user_id UUID
        CONSTRAINT channels_user_id_fkey REFERENCES users (id) ON DELETE SET NULL;

-- NOT VALID holds for new rows at once and reads no old ones; a migration of its own validates them.
ALTER TABLE channels
    ADD CONSTRAINT channels_order_check CHECK ("order">=0) NOT VALID;

-- migrate:down

ALTER TABLE channels
    DROP COLUMN IF EXISTS user_id,
    DROP COLUMN IF EXISTS "order";

-- ==== 0007_validate_channels_order_check.sql
-- migrate:up

-- Reads all rows, while others read and write. A row that doesn't fit makes it fail; mend the row and apply again.
ALTER TABLE channels VALIDATE CONSTRAINT channels_order_check;

-- migrate:down

ALTER TABLE channels
    DROP CONSTRAINT channels_order_check,
    ADD CONSTRAINT channels_order_check CHECK ("order">=0) NOT VALID;

-- ==== 0008_index_channels_on_workspace_id_order.sql
-- migrate:up transaction:false

-- CONCURRENTLY, and so outside a transaction: the build takes longer, but blocks nobody.
CREATE INDEX CONCURRENTLY channels_workspace_id_order_idx ON channels (workspace_id, "order");

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS channels_workspace_id_order_idx;

-- ==== 0009_index_channels_on_user_id.sql
-- migrate:up transaction:false

-- CONCURRENTLY, and so outside a transaction: the build takes longer, but blocks nobody.
CREATE INDEX CONCURRENTLY channels_user_id_idx ON channels (user_id);

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS channels_user_id_idx;
