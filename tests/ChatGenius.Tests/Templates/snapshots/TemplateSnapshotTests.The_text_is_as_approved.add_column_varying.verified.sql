-- ==== 0006_add_token_to_invites.sql
-- migrate:up

-- Step 1: rows that are there have no value until the next file is applied.
ALTER TABLE invites
    ADD COLUMN token UUID,
    ADD COLUMN note TEXT;

-- From now on new rows get it. With the column itself it would be a value for each row that is there: a rewrite under an exclusive lock.
ALTER TABLE invites ALTER COLUMN token SET DEFAULT gen_random_uuid();

-- migrate:down

ALTER TABLE invites
    DROP COLUMN IF EXISTS note,
    DROP COLUMN IF EXISTS token;

-- ==== 0007_backfill_token_in_invites.sql
-- migrate:up batch:invites key:id

-- Each batch commits by itself, so locks are short; after an interruption the next run goes on after the last one.
UPDATE invites
SET token = gen_random_uuid()
WHERE id BETWEEN :batch_first AND :batch_last
    AND token IS NULL;

-- migrate:down

-- Nothing to undo: which values were filled in can't be told, and they do no harm.
SELECT 1;

-- ==== 0008_require_token_in_invites.sql
-- migrate:up transaction:false

-- Each statement commits by itself. VALIDATE reads the rows while others read and write; after it SET NOT NULL reads
-- none, because the check has proved that there is no null.
ALTER TABLE invites DROP CONSTRAINT IF EXISTS invites_token_not_null_check;
ALTER TABLE invites ADD CONSTRAINT invites_token_not_null_check CHECK (token IS NOT NULL) NOT VALID;
ALTER TABLE invites VALIDATE CONSTRAINT invites_token_not_null_check;
ALTER TABLE invites ALTER COLUMN token SET NOT NULL;
ALTER TABLE invites DROP CONSTRAINT invites_token_not_null_check;

-- migrate:down

ALTER TABLE invites
    ALTER COLUMN token DROP NOT NULL;

-- ==== 0009_add_unique_token_to_invites.sql
-- Rows that are there twice make the build fail. To find them:
--     SELECT token, count(*) FROM invites GROUP BY token HAVING count(*) > 1;

-- migrate:up transaction:false

CREATE UNIQUE INDEX CONCURRENTLY invites_token_key ON invites (token);

ALTER TABLE invites ADD CONSTRAINT invites_token_key UNIQUE USING INDEX invites_token_key;

-- migrate:down

ALTER TABLE invites DROP CONSTRAINT IF EXISTS invites_token_key;
