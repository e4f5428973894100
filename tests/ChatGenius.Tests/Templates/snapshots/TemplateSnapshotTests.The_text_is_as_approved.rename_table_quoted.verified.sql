-- ==== 0006_rename_table_status_history_to_user.sql
-- Code that still uses status_history reads and writes through the view. When none is left, in a migration of its own:
--     DROP VIEW status_history;
-- INSERT … ON CONFLICT works through the view, TRUNCATE and foreign keys to it don't. Roles that may use the table have to be granted the
-- view too, which reads and writes with its owner's rights; row-level security wants WITH (security_invoker = true) there (PostgreSQL 15).

-- migrate:up

ALTER TABLE status_history RENAME TO "user";

CREATE VIEW status_history AS SELECT * FROM "user";

-- migrate:down

DROP VIEW IF EXISTS status_history;

ALTER TABLE "user" RENAME TO status_history;
