-- ==== 0006_rename_content_to_body_in_messages.sql
-- Code that still says content fails from the moment this is applied. For both names to work while the application
-- is deployed, give the column's type: body:text

-- migrate:up

-- cgdb:allow rename-column: todo: since when no running version of the application says content
ALTER TABLE messages RENAME COLUMN content TO body;

-- migrate:down

ALTER TABLE messages RENAME COLUMN body TO content;
