-- migrate:up
INSERT INTO notes (text) VALUES ('Read the manual');

-- migrate:down
DELETE FROM notes WHERE text = 'Read the manual';
