-- A person has made a workspace whose slug is the one of The Gauntlet, with no general channel in it.
INSERT INTO users (id, clerk_id, name, email)
VALUES (md5('earlier owner')::uuid, 'user_earlier', 'An Owner', 'owner@example.com');

INSERT INTO workspaces (id, name, slug, owner_id)
VALUES (md5('earlier gauntlet')::uuid, 'Run the gauntlet', 'gauntlet', md5('earlier owner')::uuid);
