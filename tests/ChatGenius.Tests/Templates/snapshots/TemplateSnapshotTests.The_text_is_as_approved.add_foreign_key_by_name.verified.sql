-- ==== 0006_add_fk_owner_id_to_workspaces.sql
-- Every delete in users looks for owner_id in workspaces. If no index starts with it, make one first:
--     chatgenius-db new index_workspaces_on_owner_id

-- migrate:up

-- NOT VALID holds for new rows at once and reads no old ones, so the locks on both tables are short.
ALTER TABLE workspaces
    ADD CONSTRAINT workspaces_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES users (id) ON DELETE CASCADE NOT VALID;

-- migrate:down

ALTER TABLE workspaces
    DROP CONSTRAINT IF EXISTS workspaces_owner_id_fkey;

-- ==== 0007_validate_workspaces_owner_id_fkey.sql
-- migrate:up

-- Reads all rows, while others read and write. A row that doesn't fit makes it fail; mend the row and apply again.
ALTER TABLE workspaces VALIDATE CONSTRAINT workspaces_owner_id_fkey;

-- migrate:down

ALTER TABLE workspaces
    DROP CONSTRAINT workspaces_owner_id_fkey,
    ADD CONSTRAINT workspaces_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES users (id) ON DELETE CASCADE NOT VALID;
