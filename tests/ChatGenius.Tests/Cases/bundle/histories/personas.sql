-- An earlier migration has put two of the personas there; one is a member of The Gauntlet already, as its admin.
INSERT INTO users (id, clerk_id, name, email)
VALUES (md5('earlier owner')::uuid, 'user_earlier', 'An Owner', 'owner@example.com'),
       (md5('earlier kid')::uuid, 'ai-kid-cascade', 'The Kid', 'kid@example.com'),
       (md5('earlier granny')::uuid, 'ai-granny-deadlock', 'Gran', 'gran@example.com');

INSERT INTO workspaces (id, name, slug, owner_id)
VALUES (md5('earlier gauntlet')::uuid, 'Run the gauntlet', 'gauntlet', md5('earlier owner')::uuid);

INSERT INTO workspace_memberships (id, workspace_id, user_id, role)
VALUES (md5('earlier membership')::uuid, md5('earlier gauntlet')::uuid, md5('earlier kid')::uuid, 'admin');
