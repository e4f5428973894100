-- Written by chatgenius-db 1.2.3. Run it with: psql -X -f FILE "$DATABASE_URL"
-- It can be run again: what is in the history already is passed over.

\set ON_ERROR_STOP on
\set AUTOCOMMIT on
SET standard_conforming_strings = on;
SET client_encoding = 'UTF8';
SET lock_timeout = 5000;

-- The same lock that chatgenius-db takes; it is held until psql ends.
DO $$
BEGIN
    FOR attempt IN 1..30 LOOP
        IF pg_catalog.pg_try_advisory_lock(-8616628798596298192) THEN
            RETURN;
        END IF;
        PERFORM pg_catalog.pg_sleep(0.1);
    END LOOP;
    RAISE EXCEPTION 'another run of chatgenius-db holds the lock of this database';
END $$;

SELECT (SELECT pg_catalog.bool_or(pg_catalog.to_regclass(name) IS NULL) FROM (VALUES ('chatgenius_db.format'), ('chatgenius_db.history'), ('chatgenius_db.journal'), ('chatgenius_db.log'), ('chatgenius_db.batches'), ('chatgenius_db.kept'), ('chatgenius_db.watched'), ('chatgenius_db.repeatable')) AS t (name)) AS chatgenius_db_incomplete,
    pg_catalog.to_regnamespace('chatgenius_db') IS NULL AS chatgenius_db_new \gset
\if :chatgenius_db_new
CREATE SCHEMA IF NOT EXISTS chatgenius_db;
\endif
\if :chatgenius_db_incomplete
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL client_min_messages = warning;
CREATE TABLE IF NOT EXISTS chatgenius_db.format (
    version integer NOT NULL,
    PRIMARY KEY (version)
);
CREATE TABLE IF NOT EXISTS chatgenius_db.history (
    version bigint NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    down_checksum text NOT NULL,
    down_sql text NOT NULL,
    applied_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    duration_ms double precision NOT NULL,
    applied_by text NOT NULL DEFAULT SESSION_USER,
    tool_version text NOT NULL,
    origin text NOT NULL,
    retries integer NOT NULL DEFAULT 0,
    backup text,
    up_sql text,
    CHECK ((origin = ANY (ARRAY['bundle'::text, 'folder'::text, 'baseline'::text]))),
    PRIMARY KEY (version)
);
CREATE TABLE IF NOT EXISTS chatgenius_db.journal (
    version bigint NOT NULL,
    direction text NOT NULL,
    statement integer NOT NULL,
    name text NOT NULL,
    count integer NOT NULL,
    checksum text NOT NULL,
    started_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamp with time zone,
    pid integer NOT NULL DEFAULT pg_backend_pid(),
    backend_start timestamp with time zone NOT NULL,
    CHECK ((direction = ANY (ARRAY['up'::text, 'down'::text]))),
    PRIMARY KEY (version, statement)
);
CREATE TABLE IF NOT EXISTS chatgenius_db.log (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    action text NOT NULL,
    command text NOT NULL,
    version bigint,
    name text,
    duration_ms double precision,
    done_by text NOT NULL DEFAULT SESSION_USER,
    tool_version text NOT NULL,
    error text,
    statement text,
    detail text,
    PRIMARY KEY (id)
);
CREATE TABLE IF NOT EXISTS chatgenius_db.batches (
    version bigint NOT NULL,
    direction text NOT NULL,
    statement integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    key text NOT NULL,
    last_key text,
    upper_key text,
    size bigint,
    row_count bigint NOT NULL DEFAULT 0,
    changed_count bigint NOT NULL DEFAULT 0,
    slice_count bigint NOT NULL DEFAULT 0,
    pass integer NOT NULL DEFAULT 1,
    duration_ms double precision NOT NULL DEFAULT 0,
    wal_bytes numeric NOT NULL DEFAULT 0,
    started_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamp with time zone,
    control text,
    PRIMARY KEY (version, direction, statement)
);
CREATE TABLE IF NOT EXISTS chatgenius_db.kept (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    version bigint NOT NULL,
    statement integer NOT NULL,
    table_name text NOT NULL,
    kind text NOT NULL,
    key jsonb NOT NULL,
    old_values jsonb NOT NULL,
    new_values jsonb,
    conflict text,
    kept_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    CHECK ((kind = ANY (ARRAY['row'::text, 'values'::text]))),
    PRIMARY KEY (version, id)
);
CREATE TABLE IF NOT EXISTS chatgenius_db.watched (
    table_oid oid NOT NULL,
    column_number smallint NOT NULL,
    node text NOT NULL,
    life text NOT NULL,
    counters jsonb NOT NULL,
    sampled_at timestamp with time zone NOT NULL,
    sampled_by text NOT NULL DEFAULT SESSION_USER,
    PRIMARY KEY (table_oid, column_number, node)
);
CREATE TABLE IF NOT EXISTS chatgenius_db.repeatable (
    name text NOT NULL,
    version bigint NOT NULL,
    checksum text NOT NULL,
    sql text NOT NULL,
    applied_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    applied_by text NOT NULL DEFAULT SESSION_USER,
    tool_version text NOT NULL,
    PRIMARY KEY (name, version)
);
DO $$
DECLARE given record;
BEGIN
    FOR given IN
        SELECT c.oid::pg_catalog.regclass AS name, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE
            pg_catalog.quote_ident(r.rolname) END AS grantee
        FROM pg_catalog.pg_class c
        CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) a LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
        WHERE c.oid IN ('chatgenius_db.log'::pg_catalog.regclass, 'chatgenius_db.kept'::pg_catalog.regclass, 'chatgenius_db.watched'::pg_catalog.regclass) AND a.grantee <> c.relowner
    LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON %s FROM %s', given.name, given.grantee);
    END LOOP;
END $$;
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = 'chatgenius_db.format'::pg_catalog.regclass
        AND contype = 'p') THEN
        ALTER TABLE chatgenius_db.format ADD PRIMARY KEY (version);
    END IF;
END $$;
ALTER TABLE chatgenius_db.history ADD COLUMN IF NOT EXISTS up_sql text;
UPDATE chatgenius_db.format SET version = 2 WHERE version < 2;
INSERT INTO chatgenius_db.format SELECT 2 WHERE NOT EXISTS (SELECT FROM chatgenius_db.format);
COMMIT;
\endif

-- 0001_initial_schema, up
SELECT NOT EXISTS (SELECT FROM chatgenius_db.history WHERE version = 1) AS chatgenius_db_pending \gset
\if :chatgenius_db_pending
\echo 0001_initial_schema
SELECT pg_catalog.clock_timestamp() AS chatgenius_db_started \gset
BEGIN;
CREATE TABLE IF NOT EXISTS users (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    clerk_id        TEXT NOT NULL UNIQUE,
    name            TEXT NOT NULL,
    email           TEXT NOT NULL,
    profile_image   TEXT,
    display_name    TEXT,
    title           TEXT,
    settings        JSONB,
    time_zone       TEXT DEFAULT 'UTC',
    status          TEXT DEFAULT 'offline',
    last_heartbeat  TIMESTAMP WITH TIME ZONE,
    created_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS workspaces (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name            TEXT NOT NULL,
    slug            TEXT NOT NULL UNIQUE,
    description     TEXT,
    owner_id        UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS workspace_memberships (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    workspace_id    UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    user_id         UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role            TEXT NOT NULL DEFAULT 'member',
    created_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (workspace_id, user_id)
);
CREATE TABLE IF NOT EXISTS channels (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    workspace_id    UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    name            TEXT NOT NULL,
    slug            TEXT NOT NULL,
    type            TEXT NOT NULL DEFAULT 'public',
    created_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (workspace_id, slug)
);
CREATE TABLE IF NOT EXISTS messages (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    workspace_id    UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    channel_id      UUID REFERENCES channels (id) ON DELETE CASCADE,
    user_id         UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    thread_id       UUID REFERENCES messages (id) ON DELETE CASCADE,
    reply_to_id     UUID REFERENCES messages (id) ON DELETE SET NULL,
    content         TEXT NOT NULL,
    ai_generated    BOOLEAN DEFAULT false,
    attachments     JSONB,
    created_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS direct_messages (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    workspace_id    UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    sender_id       UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    recipient_id    UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    content         TEXT NOT NULL,
    created_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS notifications (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id         UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    workspace_id    UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    channel_id      UUID REFERENCES channels (id) ON DELETE CASCADE,
    message_id      UUID REFERENCES messages (id) ON DELETE CASCADE,
    type            TEXT NOT NULL,
    read            BOOLEAN DEFAULT false,
    created_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS unread_messages (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id         UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    message_id      UUID NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    created_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (user_id, message_id)
);
CREATE TABLE IF NOT EXISTS status_history (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id         UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    status          TEXT NOT NULL,
    created_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS ai_interactions (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id         UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    workspace_id    UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    channel_id      UUID REFERENCES channels (id) ON DELETE SET NULL,
    type            TEXT NOT NULL,
    input_text      TEXT NOT NULL,
    output_text     TEXT NOT NULL,
    created_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS invites (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    workspace_id    UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    inviter_id      UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    email           TEXT NOT NULL,
    status          TEXT NOT NULL DEFAULT 'pending',
    created_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS workspaces_owner_id_idx            ON workspaces (owner_id);
CREATE INDEX IF NOT EXISTS workspace_memberships_user_id_idx  ON workspace_memberships (user_id);
CREATE INDEX IF NOT EXISTS messages_workspace_id_idx          ON messages (workspace_id);
CREATE INDEX IF NOT EXISTS messages_channel_id_idx            ON messages (channel_id);
CREATE INDEX IF NOT EXISTS messages_user_id_idx               ON messages (user_id);
CREATE INDEX IF NOT EXISTS messages_thread_id_idx             ON messages (thread_id);
CREATE INDEX IF NOT EXISTS messages_reply_to_id_idx           ON messages (reply_to_id);
CREATE INDEX IF NOT EXISTS direct_messages_workspace_id_idx   ON direct_messages (workspace_id);
CREATE INDEX IF NOT EXISTS direct_messages_sender_id_idx      ON direct_messages (sender_id);
CREATE INDEX IF NOT EXISTS direct_messages_recipient_id_idx   ON direct_messages (recipient_id);
CREATE INDEX IF NOT EXISTS notifications_user_id_idx          ON notifications (user_id);
CREATE INDEX IF NOT EXISTS notifications_workspace_id_idx     ON notifications (workspace_id);
CREATE INDEX IF NOT EXISTS notifications_channel_id_idx       ON notifications (channel_id);
CREATE INDEX IF NOT EXISTS notifications_message_id_idx       ON notifications (message_id);
CREATE INDEX IF NOT EXISTS unread_messages_message_id_idx     ON unread_messages (message_id);
CREATE INDEX IF NOT EXISTS status_history_user_id_idx         ON status_history (user_id);
CREATE INDEX IF NOT EXISTS ai_interactions_user_id_idx        ON ai_interactions (user_id);
CREATE INDEX IF NOT EXISTS ai_interactions_workspace_id_idx   ON ai_interactions (workspace_id);
CREATE INDEX IF NOT EXISTS ai_interactions_channel_id_idx     ON ai_interactions (channel_id);
CREATE INDEX IF NOT EXISTS invites_workspace_id_idx           ON invites (workspace_id);
CREATE INDEX IF NOT EXISTS invites_inviter_id_idx             ON invites (inviter_id);
RESET SESSION AUTHORIZATION;
RESET ROLE;
RESET ALL;
WITH done AS (
    INSERT INTO chatgenius_db.history (version, name, checksum, down_checksum, down_sql, duration_ms, tool_version, origin, up_sql)
    VALUES (1, 'initial_schema', 'f05c25fe3f575f6e5a98c37bab586d584e1dcda1f900d6ef2ac212ce273f4639', 'f45c656aae3882d8ebaab9db7ac72976d6e05f22678df2bc1e332fd67337949d',
        '-- migrate:down

-- Children first and without CASCADE: a table or view of someone else that still hangs on one of these stops the
-- whole down instead of going with it.
DROP TABLE IF EXISTS unread_messages;
DROP TABLE IF EXISTS notifications;
DROP TABLE IF EXISTS ai_interactions;
DROP TABLE IF EXISTS status_history;
DROP TABLE IF EXISTS invites;
DROP TABLE IF EXISTS direct_messages;
DROP TABLE IF EXISTS messages;
DROP TABLE IF EXISTS channels;
DROP TABLE IF EXISTS workspace_memberships;
DROP TABLE IF EXISTS workspaces;
DROP TABLE IF EXISTS users;
',
        pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) :'chatgenius_db_started'::pg_catalog.timestamptz) OPERATOR(pg_catalog.*) 1000, '1.2.3', 'bundle',
            '-- migrate:up

CREATE TABLE IF NOT EXISTS users (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    clerk_id        TEXT NOT NULL UNIQUE,
    name            TEXT NOT NULL,
    email           TEXT NOT NULL,
    profile_image   TEXT,
    display_name    TEXT,
    title           TEXT,
    settings        JSONB,
    time_zone       TEXT DEFAULT ''UTC'',
    status          TEXT DEFAULT ''offline'',
    last_heartbeat  TIMESTAMP WITH TIME ZONE,
    created_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE IF NOT EXISTS workspaces (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name            TEXT NOT NULL,
    slug            TEXT NOT NULL UNIQUE,
    description     TEXT,
    owner_id        UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE IF NOT EXISTS workspace_memberships (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    workspace_id    UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    user_id         UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role            TEXT NOT NULL DEFAULT ''member'',
    created_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (workspace_id, user_id)
);

CREATE TABLE IF NOT EXISTS channels (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    workspace_id    UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    name            TEXT NOT NULL,
    slug            TEXT NOT NULL,
    type            TEXT NOT NULL DEFAULT ''public'',
    created_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (workspace_id, slug)
);

-- A thread goes with the message that opened it; a reply outlives the message that it answers.
CREATE TABLE IF NOT EXISTS messages (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    workspace_id    UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    channel_id      UUID REFERENCES channels (id) ON DELETE CASCADE,
    user_id         UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    thread_id       UUID REFERENCES messages (id) ON DELETE CASCADE,
    reply_to_id     UUID REFERENCES messages (id) ON DELETE SET NULL,
    content         TEXT NOT NULL,
    ai_generated    BOOLEAN DEFAULT false,
    attachments     JSONB,
    created_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE IF NOT EXISTS direct_messages (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    workspace_id    UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    sender_id       UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    recipient_id    UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    content         TEXT NOT NULL,
    created_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE IF NOT EXISTS notifications (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id         UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    workspace_id    UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    channel_id      UUID REFERENCES channels (id) ON DELETE CASCADE,
    message_id      UUID REFERENCES messages (id) ON DELETE CASCADE,
    type            TEXT NOT NULL,
    read            BOOLEAN DEFAULT false,
    created_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE IF NOT EXISTS unread_messages (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id         UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    message_id      UUID NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    created_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (user_id, message_id)
);

CREATE TABLE IF NOT EXISTS status_history (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id         UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    status          TEXT NOT NULL,
    created_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- What was asked of the AI outlives the channel that it was asked in.
CREATE TABLE IF NOT EXISTS ai_interactions (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id         UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    workspace_id    UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    channel_id      UUID REFERENCES channels (id) ON DELETE SET NULL,
    type            TEXT NOT NULL,
    input_text      TEXT NOT NULL,
    output_text     TEXT NOT NULL,
    created_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE IF NOT EXISTS invites (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    workspace_id    UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    inviter_id      UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    email           TEXT NOT NULL,
    status          TEXT NOT NULL DEFAULT ''pending'',
    created_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- PostgreSQL indexes no foreign key by itself, and without an index every delete of a parent reads the whole child
-- table. So each foreign-key column gets one, unless a unique constraint already leads with it: workspace_id of
-- workspace_memberships and of channels, user_id of unread_messages.

CREATE INDEX IF NOT EXISTS workspaces_owner_id_idx            ON workspaces (owner_id);

CREATE INDEX IF NOT EXISTS workspace_memberships_user_id_idx  ON workspace_memberships (user_id);

CREATE INDEX IF NOT EXISTS messages_workspace_id_idx          ON messages (workspace_id);
CREATE INDEX IF NOT EXISTS messages_channel_id_idx            ON messages (channel_id);
CREATE INDEX IF NOT EXISTS messages_user_id_idx               ON messages (user_id);
CREATE INDEX IF NOT EXISTS messages_thread_id_idx             ON messages (thread_id);
CREATE INDEX IF NOT EXISTS messages_reply_to_id_idx           ON messages (reply_to_id);

CREATE INDEX IF NOT EXISTS direct_messages_workspace_id_idx   ON direct_messages (workspace_id);
CREATE INDEX IF NOT EXISTS direct_messages_sender_id_idx      ON direct_messages (sender_id);
CREATE INDEX IF NOT EXISTS direct_messages_recipient_id_idx   ON direct_messages (recipient_id);

CREATE INDEX IF NOT EXISTS notifications_user_id_idx          ON notifications (user_id);
CREATE INDEX IF NOT EXISTS notifications_workspace_id_idx     ON notifications (workspace_id);
CREATE INDEX IF NOT EXISTS notifications_channel_id_idx       ON notifications (channel_id);
CREATE INDEX IF NOT EXISTS notifications_message_id_idx       ON notifications (message_id);

CREATE INDEX IF NOT EXISTS unread_messages_message_id_idx     ON unread_messages (message_id);

CREATE INDEX IF NOT EXISTS status_history_user_id_idx         ON status_history (user_id);

CREATE INDEX IF NOT EXISTS ai_interactions_user_id_idx        ON ai_interactions (user_id);
CREATE INDEX IF NOT EXISTS ai_interactions_workspace_id_idx   ON ai_interactions (workspace_id);
CREATE INDEX IF NOT EXISTS ai_interactions_channel_id_idx     ON ai_interactions (channel_id);

CREATE INDEX IF NOT EXISTS invites_workspace_id_idx           ON invites (workspace_id);
CREATE INDEX IF NOT EXISTS invites_inviter_id_idx             ON invites (inviter_id);

')
    RETURNING version, name, duration_ms, tool_version)
INSERT INTO chatgenius_db.log (action, command, version, name, duration_ms, tool_version)
SELECT 'applied', 'script', version, name, duration_ms, tool_version FROM done;
COMMIT;
SET standard_conforming_strings = on;
SET lock_timeout = 5000;
\endif

-- 0002_add_gauntlet_workspace, up
SELECT NOT EXISTS (SELECT FROM chatgenius_db.history WHERE version = 2) AS chatgenius_db_pending \gset
\if :chatgenius_db_pending
\echo 0002_add_gauntlet_workspace
SELECT pg_catalog.clock_timestamp() AS chatgenius_db_started \gset
BEGIN;
INSERT INTO users (id, clerk_id, name, display_name, email, time_zone, status)
VALUES ('c4d4a41a-2af2-4001-85e8-8c7694902e34', 'system', 'System', 'System',
        'system@chatgenius.local', 'UTC', 'online')
ON CONFLICT DO NOTHING;
INSERT INTO workspaces (id, name, slug, owner_id)
SELECT '08b5cc3c-db5a-45d8-b2f0-23ce6e8cece4', 'The Gauntlet', 'gauntlet', users.id
FROM users
WHERE users.clerk_id = 'system'
ON CONFLICT DO NOTHING;
RESET SESSION AUTHORIZATION;
RESET ROLE;
RESET ALL;
WITH done AS (
    INSERT INTO chatgenius_db.history (version, name, checksum, down_checksum, down_sql, duration_ms, tool_version, origin, up_sql)
    VALUES (2, 'add_gauntlet_workspace', '6c712a448add526050759c9a473847242e24e5e5fd53f1a9e13535563a9c7ec4', '0c07062b81ade7ba81632b25c6459d7f7f4f5a6db9e8a4b72964d33c8d41c5e8',
        '-- migrate:down

-- Locked in statements of their own: from here to the end of the transaction nobody can hang a new row on ours, and
-- the deletes, which start after the locks are held, see every row that already hangs there.
SELECT id FROM users      WHERE id = ''c4d4a41a-2af2-4001-85e8-8c7694902e34'' FOR UPDATE;
SELECT id FROM workspaces WHERE id = ''08b5cc3c-db5a-45d8-b2f0-23ce6e8cece4'' FOR UPDATE;

DELETE FROM workspaces
WHERE id = ''08b5cc3c-db5a-45d8-b2f0-23ce6e8cece4''
  AND NOT EXISTS (SELECT FROM workspace_memberships WHERE workspace_id = workspaces.id)
  AND NOT EXISTS (SELECT FROM channels              WHERE workspace_id = workspaces.id)
  AND NOT EXISTS (SELECT FROM messages              WHERE workspace_id = workspaces.id)
  AND NOT EXISTS (SELECT FROM direct_messages       WHERE workspace_id = workspaces.id)
  AND NOT EXISTS (SELECT FROM notifications         WHERE workspace_id = workspaces.id)
  AND NOT EXISTS (SELECT FROM ai_interactions       WHERE workspace_id = workspaces.id)
  AND NOT EXISTS (SELECT FROM invites               WHERE workspace_id = workspaces.id);

DELETE FROM users
WHERE id = ''c4d4a41a-2af2-4001-85e8-8c7694902e34''
  AND NOT EXISTS (SELECT FROM workspaces            WHERE owner_id     = users.id)
  AND NOT EXISTS (SELECT FROM workspace_memberships WHERE user_id      = users.id)
  AND NOT EXISTS (SELECT FROM messages              WHERE user_id      = users.id)
  AND NOT EXISTS (SELECT FROM direct_messages       WHERE sender_id    = users.id)
  AND NOT EXISTS (SELECT FROM direct_messages       WHERE recipient_id = users.id)
  AND NOT EXISTS (SELECT FROM notifications         WHERE user_id      = users.id)
  AND NOT EXISTS (SELECT FROM unread_messages       WHERE user_id      = users.id)
  AND NOT EXISTS (SELECT FROM status_history        WHERE user_id      = users.id)
  AND NOT EXISTS (SELECT FROM ai_interactions       WHERE user_id      = users.id)
  AND NOT EXISTS (SELECT FROM invites               WHERE inviter_id   = users.id);
',
        pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) :'chatgenius_db_started'::pg_catalog.timestamptz) OPERATOR(pg_catalog.*) 1000, '1.2.3', 'bundle',
            '-- migrate:up

INSERT INTO users (id, clerk_id, name, display_name, email, time_zone, status)
VALUES (''c4d4a41a-2af2-4001-85e8-8c7694902e34'', ''system'', ''System'', ''System'',
        ''system@chatgenius.local'', ''UTC'', ''online'')
ON CONFLICT DO NOTHING;

-- The owner is looked up by clerk_id, not by id: an earlier migration may have put the system user there.
INSERT INTO workspaces (id, name, slug, owner_id)
SELECT ''08b5cc3c-db5a-45d8-b2f0-23ce6e8cece4'', ''The Gauntlet'', ''gauntlet'', users.id
FROM users
WHERE users.clerk_id = ''system''
ON CONFLICT DO NOTHING;

')
    RETURNING version, name, duration_ms, tool_version)
INSERT INTO chatgenius_db.log (action, command, version, name, duration_ms, tool_version)
SELECT 'applied', 'script', version, name, duration_ms, tool_version FROM done;
COMMIT;
SET standard_conforming_strings = on;
SET lock_timeout = 5000;
\endif
