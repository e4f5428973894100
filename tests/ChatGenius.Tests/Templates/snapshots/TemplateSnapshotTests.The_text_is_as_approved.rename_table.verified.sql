-- ==== 0006_rename_table_invites_to_invitations.sql
-- Code that still uses invites reads and writes through the view. When none is left, in a migration of its own:
--     DROP VIEW invites;
-- INSERT … ON CONFLICT works through the view, TRUNCATE and foreign keys to it don't. Roles that may use the table have to be granted the
-- view too, which reads and writes with its owner's rights; row-level security wants WITH (security_invoker = true) there (PostgreSQL 15).

-- migrate:up

ALTER TABLE invites RENAME TO invitations;

CREATE VIEW invites AS SELECT * FROM invitations;

-- migrate:down

DROP VIEW IF EXISTS invites;

ALTER TABLE invitations RENAME TO invites;
