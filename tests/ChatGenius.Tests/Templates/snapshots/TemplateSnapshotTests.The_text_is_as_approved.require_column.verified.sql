-- ==== 0006_make_display_name_and_time_zone_required_in_users.sql
-- migrate:up transaction:false

-- Each statement commits by itself. VALIDATE reads the rows while others read and write; after it SET NOT NULL reads
-- none, because the check has proved that there is no null.
ALTER TABLE users DROP CONSTRAINT IF EXISTS users_display_name_not_null_check;
ALTER TABLE users ADD CONSTRAINT users_display_name_not_null_check CHECK (display_name IS NOT NULL) NOT VALID;
ALTER TABLE users VALIDATE CONSTRAINT users_display_name_not_null_check;
ALTER TABLE users ALTER COLUMN display_name SET NOT NULL;
ALTER TABLE users DROP CONSTRAINT users_display_name_not_null_check;

ALTER TABLE users DROP CONSTRAINT IF EXISTS users_time_zone_not_null_check;
ALTER TABLE users ADD CONSTRAINT users_time_zone_not_null_check CHECK (time_zone IS NOT NULL) NOT VALID;
ALTER TABLE users VALIDATE CONSTRAINT users_time_zone_not_null_check;
ALTER TABLE users ALTER COLUMN time_zone SET NOT NULL;
ALTER TABLE users DROP CONSTRAINT users_time_zone_not_null_check;

-- migrate:down

ALTER TABLE users
    ALTER COLUMN time_zone DROP NOT NULL,
    ALTER COLUMN display_name DROP NOT NULL;
