-- A public channel "general" in every workspace that has none.
--
-- The id of such a channel is made from the id of its workspace: a UUID of version 8 (RFC 9562) from the SHA-256 of
-- the workspace's id followed by "general". So up never makes a second one where the first has been renamed, and down
-- knows the channels that up made from those that people made. (Not md5(): a server in FIPS mode refuses it.)

-- migrate:up

-- The unique (workspace_id, slug) says which workspaces have one.
INSERT INTO channels (id, workspace_id, name, slug, type)
SELECT overlay(overlay(left(encode(sha256(uuid_send(id) || 'general'), 'hex'), 32)
               PLACING '8' FROM 13) PLACING '8' FROM 17)::uuid,
       id, 'general', 'general', 'public'
FROM workspaces
ON CONFLICT DO NOTHING;

-- migrate:down

-- Locked in a statement of its own: from here to the end of the transaction nobody can hang a new row on ours, and
-- the delete, which starts after the locks are held, sees every row that already hangs there.
SELECT id
FROM channels
WHERE id IN (SELECT overlay(overlay(left(encode(sha256(uuid_send(workspaces.id) || 'general'), 'hex'), 32)
                            PLACING '8' FROM 13) PLACING '8' FROM 17)::uuid
             FROM workspaces)
ORDER BY id
FOR UPDATE;

-- ai_interactions would not be deleted with the channel, but would forget it: that is a loss too.
DELETE FROM channels
WHERE id IN (SELECT overlay(overlay(left(encode(sha256(uuid_send(workspaces.id) || 'general'), 'hex'), 32)
                            PLACING '8' FROM 13) PLACING '8' FROM 17)::uuid
             FROM workspaces)
  AND NOT EXISTS (SELECT FROM messages        WHERE channel_id = channels.id)
  AND NOT EXISTS (SELECT FROM notifications   WHERE channel_id = channels.id)
  AND NOT EXISTS (SELECT FROM ai_interactions WHERE channel_id = channels.id);
