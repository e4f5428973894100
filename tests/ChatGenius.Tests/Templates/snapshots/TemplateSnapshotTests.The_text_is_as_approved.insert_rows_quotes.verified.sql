-- ==== 0006_insert_guest_into_users.sql
-- migrate:up

INSERT INTO users (id, clerk_id, name, email, settings)
VALUES ('71a41e71-0b07-8509-9284-52096048c85f', 'guest', 'It''s a guest', 'guest@chatgenius.local', '{"a": 1}')
ON CONFLICT DO NOTHING;

-- migrate:down

-- By its id: a row that was there before has another one and stays. Rows that refer to this one by a cascade would go
-- with it; where there may be some, keep it: AND NOT EXISTS (SELECT FROM children WHERE children.parent_id = users.id)
DELETE FROM users WHERE id = '71a41e71-0b07-8509-9284-52096048c85f';
