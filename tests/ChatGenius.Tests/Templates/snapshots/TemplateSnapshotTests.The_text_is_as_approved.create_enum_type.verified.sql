-- ==== 0006_create_enum_channel_kind.sql
-- A value can't be taken out of a type again; where that may be wanted: --template create_enum_table

-- migrate:up

CREATE TYPE channel_kind AS ENUM ('public', 'private', 'direct', 'it''s');

-- migrate:down

DROP TYPE IF EXISTS channel_kind;
