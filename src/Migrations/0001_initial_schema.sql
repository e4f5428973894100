-- The eleven tables of ChatGenius: people, workspaces, what is said in them, and what follows from it.
--
-- IF NOT EXISTS everywhere: a database that the application's earlier TypeScript migrations have built is taken
-- over as it is, and gets only the indexes that it lacks. Constraints are left to PostgreSQL to name
-- (<table>_<columns>_key, <table>_<column>_fkey), so that both ways end with the same names.

-- migrate:up

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
    status          TEXT NOT NULL DEFAULT 'pending',
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

-- migrate:down

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
