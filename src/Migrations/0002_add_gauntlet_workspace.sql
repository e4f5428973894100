-- The system user and the workspace that it owns, The Gauntlet.
--
-- Both rows have fixed, random ids: by them, and by nothing else, down knows its own rows from those of others.

-- migrate:up

INSERT INTO users (id, clerk_id, name, display_name, email, time_zone, status)
VALUES ('c4d4a41a-2af2-4001-85e8-8c7694902e34', 'system', 'System', 'System',
        'system@chatgenius.local', 'UTC', 'online')
ON CONFLICT DO NOTHING;

-- The owner is looked up by clerk_id, not by id: an earlier migration may have put the system user there.
INSERT INTO workspaces (id, name, slug, owner_id)
SELECT '08b5cc3c-db5a-45d8-b2f0-23ce6e8cece4', 'The Gauntlet', 'gauntlet', users.id
FROM users
WHERE users.clerk_id = 'system'
ON CONFLICT DO NOTHING;

-- migrate:down

-- Locked in statements of their own: from here to the end of the transaction nobody can hang a new row on ours, and
-- the deletes, which start after the locks are held, see every row that already hangs there.
SELECT id FROM users      WHERE id = 'c4d4a41a-2af2-4001-85e8-8c7694902e34' FOR UPDATE;
SELECT id FROM workspaces WHERE id = '08b5cc3c-db5a-45d8-b2f0-23ce6e8cece4' FOR UPDATE;

DELETE FROM workspaces
WHERE id = '08b5cc3c-db5a-45d8-b2f0-23ce6e8cece4'
  AND NOT EXISTS (SELECT FROM workspace_memberships WHERE workspace_id = workspaces.id)
  AND NOT EXISTS (SELECT FROM channels              WHERE workspace_id = workspaces.id)
  AND NOT EXISTS (SELECT FROM messages              WHERE workspace_id = workspaces.id)
  AND NOT EXISTS (SELECT FROM direct_messages       WHERE workspace_id = workspaces.id)
  AND NOT EXISTS (SELECT FROM notifications         WHERE workspace_id = workspaces.id)
  AND NOT EXISTS (SELECT FROM ai_interactions       WHERE workspace_id = workspaces.id)
  AND NOT EXISTS (SELECT FROM invites               WHERE workspace_id = workspaces.id);

DELETE FROM users
WHERE id = 'c4d4a41a-2af2-4001-85e8-8c7694902e34'
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
