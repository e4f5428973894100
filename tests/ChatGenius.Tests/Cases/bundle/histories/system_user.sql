-- An earlier migration has put the system user there, and it has done things since.
INSERT INTO users (id, clerk_id, name, email, status)
VALUES (md5('earlier system')::uuid, 'system', 'The System', 'root@example.com', 'offline');

INSERT INTO status_history (id, user_id, status)
VALUES (md5('earlier system status')::uuid, md5('earlier system')::uuid, 'online');
