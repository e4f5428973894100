-- One of each kind of object that PostgreSQL 15 has and a plain build of it can make.
CREATE SCHEMA app;
COMMENT ON SCHEMA app IS 'everything of the application';
CREATE SCHEMA "Strange ""Names"": x";
CREATE EXTENSION pgcrypto WITH SCHEMA app;

CREATE TYPE app.mood AS ENUM ('sad', 'ok', 'it''s "fine"');
ALTER TYPE app.mood ADD VALUE 'happy' AFTER 'ok';
CREATE TYPE app.empty AS ENUM ();
CREATE TYPE app.pair AS (a integer, b text COLLATE "C");
COMMENT ON TYPE app.pair IS 'two things';
CREATE DOMAIN app.email AS text COLLATE "C" NOT NULL DEFAULT 'nobody@example.org'
    CONSTRAINT email_has_at CHECK (VALUE LIKE '%@%') CONSTRAINT email_is_short CHECK (length(VALUE) < 255);
COMMENT ON CONSTRAINT email_has_at ON DOMAIN app.email IS 'a little check';
CREATE TYPE app.floats AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi);
CREATE COLLATION app.german (provider = icu, locale = 'de-u-kn-true', deterministic = false);

CREATE FUNCTION app.slug(title text, "max length" integer DEFAULT 40) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 5
    RETURN left(lower(title), "max length");
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = app, pg_temp AS $body$
BEGIN

    NEW.updated_at := now(); -- "quoted" 'and' $$so on$$
    RETURN NEW;
END
$body$;
COMMENT ON FUNCTION app.touch() IS E'sets updated_at\n\nfor every table: ''all''';
CREATE PROCEDURE app.cleanup(IN days integer, INOUT removed bigint) LANGUAGE plpgsql AS 'BEGIN removed := 0; END';
CREATE FUNCTION app.add(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2';
CREATE AGGREGATE app.total(integer) (SFUNC = app.add, STYPE = integer, INITCOND = '0', PARALLEL = SAFE);
CREATE AGGREGATE app.middle(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
CREATE OPERATOR app.<+> (FUNCTION = app.add, LEFTARG = integer, RIGHTARG = integer, COMMUTATOR = OPERATOR(app.<+>));
CREATE FUNCTION app.first_of(app.pair) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT ($1).a';
CREATE CAST (app.pair AS integer) WITH FUNCTION app.first_of(app.pair) AS ASSIGNMENT;

CREATE SEQUENCE app.numbers AS smallint INCREMENT BY 2 MINVALUE 10 MAXVALUE 1000 START WITH 20 CACHE 3 CYCLE;

CREATE TABLE app.users (
    id bigint GENERATED ALWAYS AS IDENTITY (START WITH 100) PRIMARY KEY,
    email app.email,
    name varchar(80) COLLATE app.german NOT NULL,
    slug text GENERATED ALWAYS AS (app.slug(name::text)) STORED,
    mood app.mood DEFAULT 'ok',
    moods app.mood[] NOT NULL DEFAULT '{}',
    balance numeric(12, 2) NOT NULL DEFAULT 0 CONSTRAINT balance_not_negative CHECK (balance >= 0),
    created_at timestamptz NOT NULL DEFAULT '2020-01-01 00:00+00',
    updated_at timestamptz NOT NULL DEFAULT now(),
    document jsonb,
    gone integer,
    "Order" integer DEFAULT nextval('app.numbers'),
    CONSTRAINT users_email_key UNIQUE NULLS NOT DISTINCT (email) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT users_order_key UNIQUE ("Order") INCLUDE (name) WITH (fillfactor = 80)
) WITH (fillfactor = 90, toast.autovacuum_enabled = false);
ALTER TABLE app.users DROP COLUMN gone;
ALTER TABLE app.users ALTER COLUMN document SET STORAGE EXTERNAL, ALTER COLUMN document SET STATISTICS 500, ALTER COLUMN document SET COMPRESSION pglz,
    ALTER COLUMN name SET (n_distinct = -0.5);
ALTER TABLE app.users ADD CONSTRAINT name_is_there CHECK (name <> '') NOT VALID;
COMMENT ON TABLE app.users IS 'People: who they are';
COMMENT ON COLUMN app.users."Order" IS ' padded ';
COMMENT ON CONSTRAINT balance_not_negative ON app.users IS 'no credit';
CREATE INDEX users_name_idx ON app.users USING btree (lower(name COLLATE "C") text_pattern_ops DESC NULLS LAST) INCLUDE (email) WITH (fillfactor = 70) WHERE balance > 0;
ALTER INDEX app.users_name_idx ALTER COLUMN 1 SET STATISTICS 200;
CREATE INDEX ON app.users USING gin (document jsonb_path_ops);
COMMENT ON INDEX app.users_name_idx IS 'for the search';
ALTER TABLE app.users CLUSTER ON users_pkey;
ALTER TABLE app.users REPLICA IDENTITY FULL;
CREATE STATISTICS app.users_stats (ndistinct, dependencies) ON name, mood FROM app.users;
ALTER STATISTICS app.users_stats SET STATISTICS 300;

CREATE TABLE app.posts (
    id serial PRIMARY KEY,
    author bigint NOT NULL REFERENCES app.users ON DELETE CASCADE ON UPDATE RESTRICT,
    parent integer REFERENCES app.posts (id) ON DELETE SET NULL DEFERRABLE,
    during tstzrange,
    at point,
    pair app.pair,
    EXCLUDE USING gist (at WITH ~=, during WITH &&) WHERE (at IS NOT NULL)
);
ALTER TABLE app.posts ADD CONSTRAINT posts_user_exists FOREIGN KEY (author) REFERENCES app.users NOT VALID;
CREATE TRIGGER touch BEFORE UPDATE OF parent, during ON app.posts FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION app.touch();
COMMENT ON TRIGGER touch ON app.posts IS 'a trigger';
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON app.posts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE TRIGGER off AFTER INSERT ON app.posts REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION app.touch();
ALTER TABLE app.posts DISABLE TRIGGER off;
CREATE RULE nothing_happens AS ON DELETE TO app.posts WHERE OLD.id < 0 DO INSTEAD NOTHING;
ALTER TABLE app.posts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON app.posts FOR UPDATE TO PUBLIC USING (author = 1) WITH CHECK (author > 0);
CREATE POLICY never ON app.posts AS RESTRICTIVE FOR SELECT TO pg_monitor, pg_read_all_data USING (false);
COMMENT ON POLICY own ON app.posts IS 'own rows';

CREATE TABLE app.events (id bigint, at timestamptz NOT NULL, kind text DEFAULT 'x', PRIMARY KEY (id, at), CHECK (id > 0)) PARTITION BY RANGE (at);
CREATE INDEX events_kind_idx ON app.events (kind);
CREATE TABLE app.events_2020 PARTITION OF app.events (kind DEFAULT 'y') FOR VALUES FROM ('2020-01-01 00:00+00') TO ('2021-01-01 00:00+00');
CREATE TABLE app.events_other (kind text, at timestamptz NOT NULL, id bigint NOT NULL, CONSTRAINT events_id_check CHECK (id > 0)) PARTITION BY RANGE (id);
ALTER TABLE app.events ATTACH PARTITION app.events_other DEFAULT;
CREATE TABLE app.events_other_a PARTITION OF app.events_other FOR VALUES FROM (MINVALUE) TO (10);
CREATE TABLE app.events_other_rest PARTITION OF app.events_other DEFAULT;
ALTER TABLE app.events ADD CONSTRAINT events_id_is_a_user FOREIGN KEY (id) REFERENCES app.users;
CREATE TRIGGER touch BEFORE INSERT ON app.events FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE TABLE app.hashed (a integer) PARTITION BY HASH (a, (a + 1));
CREATE TABLE app.hashed_0 PARTITION OF app.hashed FOR VALUES WITH (MODULUS 1, REMAINDER 0);

CREATE TABLE app.animals (id integer NOT NULL, name text CHECK (name <> ''));
CREATE TABLE app.dogs (breed text) INHERITS (app.animals);
ALTER TABLE app.dogs ALTER COLUMN name SET DEFAULT 'Rex';
CREATE TABLE app.typed OF app.pair (PRIMARY KEY (a), b WITH OPTIONS DEFAULT 'z');
CREATE UNLOGGED TABLE app.scratch ();
CREATE TABLE app.cyclic (id integer);
CREATE FUNCTION app.ok(app.cyclic) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
ALTER TABLE app.cyclic ADD CONSTRAINT row_is_ok CHECK (app.ok(cyclic));
ALTER TABLE app.scratch ADD COLUMN other app.dogs;

CREATE VIEW app.active WITH (security_barrier) AS
    SELECT u.id, u.email, count(*) AS posts, u.mood FROM app.users u JOIN app.posts p ON p.author = u.id GROUP BY u.id;
COMMENT ON COLUMN app.active.posts IS 'how many';
CREATE VIEW app.named (one, "Two") AS SELECT a.id, '2020-01-01'::timestamptz FROM app.active a;
ALTER VIEW app.named ALTER COLUMN one SET DEFAULT 7;
CREATE FUNCTION app.insert_named() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER insert_named INSTEAD OF INSERT ON app.named FOR EACH ROW EXECUTE FUNCTION app.insert_named();
CREATE MATERIALIZED VIEW app.totals AS SELECT app.total(id) AS total, 1 AS one FROM app.posts WITH NO DATA;
CREATE UNIQUE INDEX totals_key ON app.totals (total);
CREATE FUNCTION app.all_active() RETURNS SETOF app.active LANGUAGE sql BEGIN ATOMIC SELECT * FROM app.active; END;
CREATE RECURSIVE VIEW app.counted (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counted WHERE n < 5;

CREATE TABLE "Strange ""Names"": x"."table: 'a' ""b""" (
    "column: x" integer, "select" text, "ä😀" text DEFAULT E'a\nb\\c',
    CONSTRAINT "check: ""this""" CHECK ("select" <> ': '));
COMMENT ON COLUMN "Strange ""Names"": x"."table: 'a' ""b"""."column: x" IS E'line: one\n\n  line: three\n';

CREATE TEXT SEARCH DICTIONARY app.plain (TEMPLATE = pg_catalog.simple, STOPWORDS = english);
CREATE TEXT SEARCH CONFIGURATION app.words (PARSER = "default");
ALTER TEXT SEARCH CONFIGURATION app.words ADD MAPPING FOR asciiword, word WITH app.plain, simple;

CREATE FOREIGN DATA WRAPPER nowhere OPTIONS (debug 'true');
CREATE SERVER elsewhere TYPE 'x' VERSION '1' FOREIGN DATA WRAPPER nowhere OPTIONS (host 'it''s');
CREATE FOREIGN TABLE app.remote (id integer OPTIONS (c 'd') NOT NULL, name text DEFAULT 'n') SERVER elsewhere OPTIONS (a 'b');
CREATE PUBLICATION changes FOR TABLE app.users (id, email) WHERE (id > 0) WITH (publish = 'insert');
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA app;
CREATE FUNCTION app.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER watch_ddl ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE') EXECUTE FUNCTION app.on_ddl();
ALTER EVENT TRIGGER watch_ddl DISABLE;

GRANT USAGE ON SCHEMA app TO pg_monitor;
GRANT SELECT, INSERT ON app.users TO pg_monitor WITH GRANT OPTION;
GRANT UPDATE (name, email) ON app.users TO pg_read_all_stats;
REVOKE ALL ON FUNCTION app.slug(text, integer) FROM PUBLIC;
GRANT USAGE ON SEQUENCE app.numbers TO PUBLIC;
REVOKE DELETE ON app.posts FROM CURRENT_USER;
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO pg_monitor;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON ROUTINES FROM PUBLIC;
