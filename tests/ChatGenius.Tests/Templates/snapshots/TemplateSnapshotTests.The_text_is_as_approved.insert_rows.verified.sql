-- ==== 0006_seed_workspaces.sql
-- migrate:up

INSERT INTO workspaces (id, name, slug, owner_id)
VALUES ('cb043133-6d58-82ca-934c-e2e58fe3dabc', 'The Office', 'office', (SELECT id FROM users ORDER BY created_at LIMIT 1))
ON CONFLICT DO NOTHING;

-- migrate:down

-- By its id: a row that was there before has another one and stays. Rows that refer to this one by a cascade would go
-- with it; where there may be some, keep it: AND NOT EXISTS (SELECT FROM children WHERE children.parent_id = workspaces.id)
DELETE FROM workspaces WHERE id = 'cb043133-6d58-82ca-934c-e2e58fe3dabc';
