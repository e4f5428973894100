-- Four AI personas, invented fighters all of them, and their membership in The Gauntlet.
--
-- All rows have fixed, random ids: by them, and by nothing else, down knows its own rows from those of others.

-- migrate:up

INSERT INTO users (id, clerk_id, name, display_name, title, email, time_zone, status)
VALUES
    ('4aa1451a-65b5-4e0e-bf30-6d315be5b400', 'ai-sergeant-segfault', 'Sergeant Segfault', 'Sergeant Segfault',
     'Undefeated, Behavior Undefined', 'ai-sergeant-segfault@chatgenius.local', 'UTC', 'online'),
    ('cd771cc7-bd30-4408-8833-b97de6021ed8', 'ai-granny-deadlock', 'Granny Deadlock', 'Granny Deadlock',
     'Holds One Belt, Waits for Yours', 'ai-granny-deadlock@chatgenius.local', 'UTC', 'online'),
    ('ac3bce6c-c80a-4043-8d8e-f5af525cc2eb', 'ai-kid-cascade', 'Kid Cascade', 'Kid Cascade',
     'Featherweight, Heavy Consequences', 'ai-kid-cascade@chatgenius.local', 'UTC', 'online'),
    ('f31c2c84-f944-4423-a598-971fe2d64ec8', 'ai-duchess-latency', 'Duchess Latency', 'Duchess Latency',
     'Last to Every Bell, First to the Trophy', 'ai-duchess-latency@chatgenius.local', 'UTC', 'online')
ON CONFLICT DO NOTHING;

-- Users are looked up by clerk_id and the workspace by slug, not by id: either may have been there before.
INSERT INTO workspace_memberships (id, workspace_id, user_id, role)
SELECT membership.id, workspaces.id, users.id, 'member'
FROM (VALUES
    ('fb8752bd-05f7-4c35-9399-8c08d6864162'::uuid, 'ai-sergeant-segfault'),
    ('374ffe58-1337-4f0b-8ba9-9f2be480caf1'::uuid, 'ai-granny-deadlock'),
    ('5800a386-6bf4-46b2-8b89-7e0a0f710195'::uuid, 'ai-kid-cascade'),
    ('03fc963d-67dd-4a71-91cd-0cc9592e0feb'::uuid, 'ai-duchess-latency')
) AS membership (id, clerk_id)
JOIN users      ON users.clerk_id = membership.clerk_id
JOIN workspaces ON workspaces.slug = 'gauntlet'
ON CONFLICT DO NOTHING;

-- migrate:down

-- Nothing refers to a membership, so these can go whatever else stays.
DELETE FROM workspace_memberships
WHERE id IN ('fb8752bd-05f7-4c35-9399-8c08d6864162', '374ffe58-1337-4f0b-8ba9-9f2be480caf1',
             '5800a386-6bf4-46b2-8b89-7e0a0f710195', '03fc963d-67dd-4a71-91cd-0cc9592e0feb');

-- Locked in a statement of its own: from here to the end of the transaction nobody can hang a new row on ours, and
-- the delete, which starts after the locks are held, sees every row that already hangs there.
SELECT id
FROM users
WHERE id IN ('4aa1451a-65b5-4e0e-bf30-6d315be5b400', 'cd771cc7-bd30-4408-8833-b97de6021ed8',
             'ac3bce6c-c80a-4043-8d8e-f5af525cc2eb', 'f31c2c84-f944-4423-a598-971fe2d64ec8')
ORDER BY id
FOR UPDATE;

DELETE FROM users
WHERE id IN ('4aa1451a-65b5-4e0e-bf30-6d315be5b400', 'cd771cc7-bd30-4408-8833-b97de6021ed8',
             'ac3bce6c-c80a-4043-8d8e-f5af525cc2eb', 'f31c2c84-f944-4423-a598-971fe2d64ec8')
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
