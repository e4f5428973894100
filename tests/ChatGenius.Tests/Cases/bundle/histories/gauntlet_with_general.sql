-- The same with a general channel, in which something has been said.
INSERT INTO users (id, clerk_id, name, email)
VALUES (md5('earlier owner')::uuid, 'user_earlier', 'An Owner', 'owner@example.com');

INSERT INTO workspaces (id, name, slug, owner_id)
VALUES (md5('earlier gauntlet')::uuid, 'Run the gauntlet', 'gauntlet', md5('earlier owner')::uuid);

INSERT INTO channels (id, workspace_id, name, slug, type)
VALUES (md5('earlier general')::uuid, md5('earlier gauntlet')::uuid, 'Everything', 'general', 'private');

INSERT INTO messages (id, workspace_id, channel_id, user_id, content)
VALUES (md5('earlier word')::uuid, md5('earlier gauntlet')::uuid, md5('earlier general')::uuid, md5('earlier owner')::uuid, 'Hello?');
