-- What the application leaves behind in the number of months that the setting use.months gives. Every id is made from
-- a row's number, so that two databases of the same age hold the same rows.

INSERT INTO users (id, clerk_id, name, email, display_name, settings, status, last_heartbeat, created_at, updated_at)
SELECT md5('user ' || i)::uuid, 'user_' || i, 'Person ' || i, 'person' || i || '@example.com',
       CASE WHEN i % 3 = 0 THEN 'P. ' || i END, CASE WHEN i % 4 = 0 THEN '{"theme": "dark"}'::jsonb END,
       CASE WHEN i % 2 = 0 THEN 'online' ELSE 'offline' END, at, at, at
FROM generate_series(0, 20 * current_setting('use.months')::int - 1) AS i,
     LATERAL (SELECT '2025-01-01 00:00Z'::timestamptz + i * INTERVAL '36 hours') AS moment (at);

INSERT INTO workspaces (id, name, slug, description, owner_id)
SELECT md5('workspace ' || i)::uuid, 'Workspace ' || i, 'workspace-' || i, NULLIF('The place of ' || i, 'The place of 7'),
       md5('user ' || i * 4)::uuid
FROM generate_series(0, 5 * current_setting('use.months')::int - 1) AS i;

INSERT INTO workspace_memberships (id, workspace_id, user_id, role)
SELECT md5('membership ' || w || ' ' || j)::uuid, md5('workspace ' || w)::uuid,
       md5('user ' || (w * 4 + j) % (20 * current_setting('use.months')::int))::uuid,
       CASE j WHEN 0 THEN 'owner' ELSE 'member' END
FROM generate_series(0, 5 * current_setting('use.months')::int - 1) AS w, generate_series(0, 7) AS j;

-- Two workspaces of three have a general channel of their own, and in some of those it is a private one.
INSERT INTO channels (id, workspace_id, name, slug, type)
SELECT md5('channel ' || w || ' ' || slug)::uuid, md5('workspace ' || w)::uuid, initcap(slug), slug,
       CASE WHEN w % 5 = 0 THEN 'private' ELSE 'public' END
FROM generate_series(0, 5 * current_setting('use.months')::int - 1) AS w, unnest(ARRAY['general', 'random', 'help']) AS slug
WHERE slug <> 'general' OR w % 3 <> 0;

-- Every fifth message stands in a thread, every seventh answers another, and both can be true of one.
INSERT INTO messages (id, workspace_id, channel_id, user_id, thread_id, reply_to_id, content, ai_generated, attachments, created_at)
SELECT md5('message ' || i)::uuid, channels.workspace_id, channels.id, md5('user ' || i % (20 * current_setting('use.months')::int))::uuid,
       CASE WHEN i % 5 = 4 THEN md5('message ' || i - 1)::uuid END, CASE WHEN i % 7 = 6 THEN md5('message ' || i - 3)::uuid END,
       'What was said as number ' || i || ', it''s true; and it ends here.', i % 11 = 0,
       CASE WHEN i % 13 = 0 THEN '[{"name": "plan.pdf"}]'::jsonb END, '2025-01-01 00:00Z'::timestamptz + i * INTERVAL '4 hours'
FROM generate_series(0, 160 * current_setting('use.months')::int - 1) AS i
JOIN (SELECT id, workspace_id, row_number() OVER (ORDER BY id) - 1 AS number, count(*) OVER () AS total FROM channels) AS channels
  ON channels.number = i % channels.total;

INSERT INTO direct_messages (id, workspace_id, sender_id, recipient_id, content)
SELECT md5('direct ' || i)::uuid, md5('workspace ' || i % (5 * current_setting('use.months')::int))::uuid,
       md5('user ' || i % (20 * current_setting('use.months')::int))::uuid,
       md5('user ' || (i * 3 + 1) % (20 * current_setting('use.months')::int))::uuid, 'Between the two of us: ' || i
FROM generate_series(0, 40 * current_setting('use.months')::int - 1) AS i;

INSERT INTO notifications (id, user_id, workspace_id, channel_id, message_id, type, read)
SELECT md5('notification ' || row_number() OVER (ORDER BY id))::uuid, user_id, workspace_id, channel_id, id, 'mention', ai_generated
FROM messages
WHERE thread_id IS NOT NULL;

INSERT INTO unread_messages (id, user_id, message_id)
SELECT md5('unread ' || row_number() OVER (ORDER BY messages.id))::uuid, workspaces.owner_id, messages.id
FROM messages
JOIN workspaces ON workspaces.id = messages.workspace_id
WHERE messages.reply_to_id IS NOT NULL;

INSERT INTO status_history (id, user_id, status)
SELECT md5('status ' || i)::uuid, md5('user ' || i % (20 * current_setting('use.months')::int))::uuid, 'away'
FROM generate_series(0, 40 * current_setting('use.months')::int - 1) AS i;

INSERT INTO ai_interactions (id, user_id, workspace_id, channel_id, type, input_text, output_text)
SELECT md5('interaction ' || row_number() OVER (ORDER BY id))::uuid, user_id, workspace_id, channel_id, 'summary', content, 'In short: yes.'
FROM messages
WHERE ai_generated;

INSERT INTO invites (id, workspace_id, inviter_id, email, status)
SELECT md5('invite ' || row_number() OVER (ORDER BY id))::uuid, workspace_id, user_id, 'guest@example.com',
       CASE role WHEN 'owner' THEN 'pending' ELSE 'accepted' END
FROM workspace_memberships;
