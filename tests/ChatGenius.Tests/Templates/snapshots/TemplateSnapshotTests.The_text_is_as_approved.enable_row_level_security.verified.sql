-- ==== 0006_enable_rls_on_messages.sql
-- From now on a role sees only what a policy lets it see; the table's owner, superusers and roles with BYPASSRLS see all.
-- The application says who asks, once in each transaction:
--     SELECT set_config('chatgenius.user_id', '…', true);
-- The sub-select reads the setting once for a query, not once for each row; an index on user_id serves the rest.

-- migrate:up

CREATE POLICY messages_own_rows ON messages
    USING (user_id = (SELECT NULLIF(current_setting('chatgenius.user_id', true), '')::uuid))
    WITH CHECK (user_id = (SELECT NULLIF(current_setting('chatgenius.user_id', true), '')::uuid));

ALTER TABLE messages ENABLE ROW LEVEL SECURITY;

-- migrate:down

ALTER TABLE messages DISABLE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS messages_own_rows ON messages;
