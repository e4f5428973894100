-- ==== 0006_require_read_in_notifications.sql
-- migrate:up transaction:false

-- Each statement commits by itself. VALIDATE reads the rows while others read and write; after it SET NOT NULL reads
-- none, because the check has proved that there is no null.
ALTER TABLE notifications DROP CONSTRAINT IF EXISTS notifications_read_not_null_check;
ALTER TABLE notifications ADD CONSTRAINT notifications_read_not_null_check CHECK (read IS NOT NULL) NOT VALID;
ALTER TABLE notifications VALIDATE CONSTRAINT notifications_read_not_null_check;
ALTER TABLE notifications ALTER COLUMN read SET NOT NULL;
ALTER TABLE notifications DROP CONSTRAINT notifications_read_not_null_check;

-- migrate:down

ALTER TABLE notifications
    ALTER COLUMN read DROP NOT NULL;
