-- ==== 0006_drop_invites.sql
-- The rows are lost. First let no running version of the application use the table.

-- migrate:up

-- cgdb:allow drop-table: todo: since when no running version of the application uses it
DROP TABLE IF EXISTS invites;

-- migrate:down

-- The table comes back, its rows don't.
CREATE TABLE IF NOT EXISTS invites (
    id            UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    workspace_id  UUID NOT NULL,
    inviter_id    UUID NOT NULL,
    email         TEXT NOT NULL,
    status        TEXT NOT NULL DEFAULT 'pending',
    created_at    TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at    TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT invites_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE,
    CONSTRAINT invites_inviter_id_fkey FOREIGN KEY (inviter_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX IF NOT EXISTS invites_workspace_id_idx ON invites (workspace_id);

CREATE INDEX IF NOT EXISTS invites_inviter_id_idx ON invites (inviter_id);
