-- ==== 0006_add_policy_members_only_to_channels.sql
-- From now on a role sees only what a policy lets it see; the table's owner, superusers and roles with BYPASSRLS see all.
-- The application says who asks, once in each transaction:
--     SELECT set_config('app.workspace', '…', true);
-- The sub-select reads the setting once for a query, not once for each row; an index on workspace_id serves the rest.

-- migrate:up

CREATE POLICY members_only ON channels
    USING (workspace_id = (SELECT NULLIF(current_setting('app.workspace', true), '')::uuid))
    WITH CHECK (workspace_id = (SELECT NULLIF(current_setting('app.workspace', true), '')::uuid));

ALTER TABLE channels ENABLE ROW LEVEL SECURITY;

-- migrate:down

ALTER TABLE channels DISABLE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS members_only ON channels;
