-- All that the bundle brings is there already, from elsewhere.
INSERT INTO users (id, clerk_id, name, email)
VALUES (md5('earlier system')::uuid, 'system', 'The System', 'root@example.com'),
       (md5('earlier kid')::uuid, 'ai-kid-cascade', 'The Kid', 'kid@example.com'),
       (md5('earlier granny')::uuid, 'ai-granny-deadlock', 'Gran', 'gran@example.com'),
       (md5('earlier sergeant')::uuid, 'ai-sergeant-segfault', 'Sarge', 'sarge@example.com'),
       (md5('earlier duchess')::uuid, 'ai-duchess-latency', 'Her Grace', 'grace@example.com');

INSERT INTO workspaces (id, name, slug, owner_id)
VALUES (md5('earlier gauntlet')::uuid, 'The Gauntlet', 'gauntlet', md5('earlier system')::uuid);

INSERT INTO channels (id, workspace_id, name, slug)
SELECT md5('earlier general ' || id)::uuid, id, 'general', 'general'
FROM workspaces
ON CONFLICT DO NOTHING;

INSERT INTO workspace_memberships (id, workspace_id, user_id)
SELECT md5('earlier membership ' || id)::uuid, md5('earlier gauntlet')::uuid, id
FROM users
WHERE clerk_id LIKE 'ai-%';
