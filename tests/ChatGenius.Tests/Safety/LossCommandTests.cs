using System.Text.RegularExpressions;

namespace ChatGenius.Tests.Safety;

/// <summary>
/// PostgreSQL's own list of commands (<c>\\h</c> of psql), one by one: whether each can destroy or overwrite rows. What is judged to do
/// nothing is run, where a transaction allows it, and nothing is gone.
/// </summary>
public sealed partial class LossCommandTests(LossReaderTests.Everything everything) : IClassFixture<LossReaderTests.Everything>
{
    /// <summary>A command and a statement of its; <c>!</c> before one that may destroy something, or of which it can't be told.</summary>
    private const string Judged =
        """
        ABORT ! ABORT
        ALTER AGGREGATE : ALTER AGGREGATE last_of(int) RENAME TO first_of
        ALTER COLLATION : ALTER COLLATION mine RENAME TO ours
        ALTER CONVERSION : ALTER CONVERSION c RENAME TO d
        ALTER DATABASE : ALTER DATABASE other SET work_mem = '1MB'
        ALTER DEFAULT PRIVILEGES : ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC
        ALTER DOMAIN : ALTER DOMAIN number SET NOT NULL
        ALTER DOMAIN ! ALTER DOMAIN number ADD CHECK (pretends(VALUE) > 0)
        ALTER EVENT TRIGGER ! ALTER EVENT TRIGGER e ENABLE; DROP TABLE IF EXISTS nowhere
        ALTER EXTENSION ! ALTER EXTENSION plpgsql UPDATE
        ALTER FOREIGN DATA WRAPPER : ALTER FOREIGN DATA WRAPPER w NO HANDLER
        ALTER FOREIGN TABLE ! ALTER FOREIGN TABLE alone DROP COLUMN v
        ALTER FUNCTION : ALTER FUNCTION kind(int) COST 10
        ALTER GROUP : ALTER GROUP loss_reader_owner RENAME TO loss_reader_owner_2
        ALTER INDEX : ALTER INDEX alone_v SET (fillfactor = 70)
        ALTER LANGUAGE : ALTER LANGUAGE plpgsql OWNER TO CURRENT_USER
        ALTER LARGE OBJECT : ALTER LARGE OBJECT 1 OWNER TO CURRENT_USER
        ALTER MATERIALIZED VIEW : ALTER MATERIALIZED VIEW snapshot RENAME TO picture
        ALTER OPERATOR : ALTER OPERATOR === (int, int) OWNER TO CURRENT_USER
        ALTER OPERATOR CLASS : ALTER OPERATOR CLASS c USING btree RENAME TO d
        ALTER OPERATOR FAMILY ! ALTER OPERATOR FAMILY f USING btree ADD FUNCTION 1 (int, int) g(int, int); INSERT INTO alone VALUES (9)
        ALTER POLICY : ALTER POLICY visible ON guarded RENAME TO seen
        ALTER POLICY ! ALTER POLICY visible ON guarded USING (wipe() > 0); UPDATE guarded SET i = 2
        ALTER PROCEDURE : ALTER PROCEDURE wipe_all() RENAME TO wipe_more
        ALTER PUBLICATION : ALTER PUBLICATION news OWNER TO CURRENT_USER
        ALTER ROLE : ALTER ROLE loss_reader_owner NOLOGIN
        ALTER ROUTINE : ALTER ROUTINE kind(int) COST 10
        ALTER RULE : ALTER RULE wiping ON ruled RENAME TO wipes
        ALTER SCHEMA : ALTER SCHEMA app RENAME TO app2
        ALTER SEQUENCE : ALTER SEQUENCE counter INCREMENT 2
        ALTER SEQUENCE ! ALTER SEQUENCE counter RESTART
        ALTER SERVER : ALTER SERVER s VERSION '2'
        ALTER STATISTICS : ALTER STATISTICS known SET STATISTICS 50
        ALTER SUBSCRIPTION : ALTER SUBSCRIPTION s RENAME TO t
        ALTER SUBSCRIPTION : ALTER SUBSCRIPTION s DISABLE
        ALTER SUBSCRIPTION ! ALTER SUBSCRIPTION s ENABLE
        ALTER SUBSCRIPTION ! ALTER SUBSCRIPTION s REFRESH PUBLICATION
        ALTER SUBSCRIPTION ! ALTER SUBSCRIPTION s SKIP (lsn = '0/14C0378')
        ALTER SYSTEM : ALTER SYSTEM SET work_mem = '4MB'
        ALTER TABLE : ALTER TABLE alone ADD COLUMN w int
        ALTER TABLE ! ALTER TABLE alone DROP COLUMN v
        ALTER TABLESPACE : ALTER TABLESPACE pg_default SET (seq_page_cost = 1)
        ALTER TEXT SEARCH CONFIGURATION : ALTER TEXT SEARCH CONFIGURATION t RENAME TO u
        ALTER TEXT SEARCH DICTIONARY : ALTER TEXT SEARCH DICTIONARY t RENAME TO u
        ALTER TEXT SEARCH PARSER : ALTER TEXT SEARCH PARSER t RENAME TO u
        ALTER TEXT SEARCH TEMPLATE : ALTER TEXT SEARCH TEMPLATE t RENAME TO u
        ALTER TRIGGER : ALTER TRIGGER audit ON audited RENAME TO audits
        ALTER TYPE : ALTER TYPE mood ADD VALUE 'fine'
        ALTER TYPE ! ALTER TYPE pair DROP ATTRIBUTE a CASCADE
        ALTER USER : ALTER USER loss_reader_owner NOLOGIN
        ALTER USER MAPPING : ALTER USER MAPPING FOR PUBLIC SERVER s OPTIONS (SET a 'b')
        ALTER VIEW : ALTER VIEW viewed_view RENAME TO seen_view
        ANALYZE : ANALYZE keep
        ANALYZE ! ANALYZE
        BEGIN : BEGIN
        CALL ! CALL wipe_all()
        CHECKPOINT : CHECKPOINT
        CLOSE : CLOSE ALL
        CLUSTER : CLUSTER keep USING keep_pkey
        CLUSTER ! CLUSTER
        COMMENT : COMMENT ON TABLE keep IS 'x'
        COMMIT : COMMIT
        COMMIT PREPARED ! COMMIT PREPARED 'x'
        COPY ! COPY alone FROM '/nowhere'
        CREATE ACCESS METHOD : CREATE ACCESS METHOD h TYPE TABLE HANDLER heap_tableam_handler
        CREATE AGGREGATE : CREATE AGGREGATE sum_of(int) (SFUNC = int4pl, STYPE = int)
        CREATE CAST : CREATE CAST (mood AS text) WITH INOUT
        CREATE CAST ! CREATE CAST (mood AS text) WITH FUNCTION t(mood) AS IMPLICIT; INSERT INTO alone VALUES (9)
        CREATE COLLATION : CREATE COLLATION more (locale = 'C')
        CREATE CONVERSION : CREATE CONVERSION c FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8
        CREATE DATABASE : CREATE DATABASE other
        CREATE DOMAIN : CREATE DOMAIN more AS int CHECK (VALUE > 0)
        CREATE EVENT TRIGGER ! CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION f(); DROP TABLE IF EXISTS nowhere
        CREATE EXTENSION : CREATE EXTENSION IF NOT EXISTS plpgsql
        CREATE EXTENSION ! CREATE EXTENSION unknown
        CREATE FOREIGN DATA WRAPPER : CREATE FOREIGN DATA WRAPPER more
        CREATE FOREIGN TABLE : CREATE FOREIGN TABLE more (i int) SERVER s
        CREATE FUNCTION : CREATE FUNCTION more() RETURNS int LANGUAGE sql AS 'SELECT 1'
        CREATE GROUP : CREATE GROUP loss_reader_more
        CREATE INDEX : CREATE INDEX ON keep (lower(v))
        CREATE INDEX ! CREATE INDEX ON keep (pretends(id))
        CREATE LANGUAGE : CREATE LANGUAGE more HANDLER plpgsql_call_handler
        CREATE MATERIALIZED VIEW : CREATE MATERIALIZED VIEW more AS SELECT id FROM keep
        CREATE MATERIALIZED VIEW ! CREATE MATERIALIZED VIEW more AS SELECT wipe()
        CREATE OPERATOR : CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)
        CREATE OPERATOR CLASS : CREATE OPERATOR CLASS c FOR TYPE int USING btree AS OPERATOR 1 <
        CREATE OPERATOR FAMILY : CREATE OPERATOR FAMILY f USING btree
        CREATE POLICY : CREATE POLICY more ON guarded USING (i > 0)
        CREATE POLICY ! CREATE POLICY more ON guarded USING (wipe() > 0); DELETE FROM guarded
        CREATE PROCEDURE : CREATE PROCEDURE more() LANGUAGE sql AS 'SELECT 1'
        CREATE PUBLICATION : CREATE PUBLICATION more
        CREATE ROLE : CREATE ROLE loss_reader_more
        CREATE RULE : CREATE RULE more AS ON INSERT TO keep DO ALSO DELETE FROM alone
        CREATE RULE ! CREATE RULE more AS ON INSERT TO keep DO ALSO DELETE FROM alone; INSERT INTO keep VALUES (9)
        CREATE SCHEMA : CREATE SCHEMA more
        CREATE SCHEMA ! CREATE SCHEMA more CREATE TABLE keep (i int)
        CREATE SEQUENCE : CREATE SEQUENCE more
        CREATE SERVER : CREATE SERVER more FOREIGN DATA WRAPPER w
        CREATE STATISTICS : CREATE STATISTICS more (dependencies) ON id, v FROM keep
        CREATE STATISTICS ! CREATE STATISTICS more ON (pretends(id)), v FROM keep
        CREATE SUBSCRIPTION ! CREATE SUBSCRIPTION more CONNECTION 'host=nowhere' PUBLICATION news
        CREATE TABLE : CREATE TABLE more (id int PRIMARY KEY, v text DEFAULT 'x')
        CREATE TABLE AS : CREATE TABLE more AS SELECT id FROM keep
        CREATE TABLE AS ! CREATE TABLE more AS SELECT wipe()
        CREATE TABLESPACE : CREATE TABLESPACE more LOCATION '/nowhere'
        CREATE TEXT SEARCH CONFIGURATION : CREATE TEXT SEARCH CONFIGURATION more (COPY = simple)
        CREATE TEXT SEARCH DICTIONARY : CREATE TEXT SEARCH DICTIONARY more (TEMPLATE = simple)
        CREATE TEXT SEARCH PARSER : CREATE TEXT SEARCH PARSER more (START = a, GETTOKEN = b, END = c, LEXTYPES = d)
        CREATE TEXT SEARCH TEMPLATE : CREATE TEXT SEARCH TEMPLATE more (LEXIZE = dsimple_lexize)
        CREATE TRANSFORM : CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION f(internal))
        CREATE TRIGGER : CREATE TRIGGER more BEFORE INSERT ON keep FOR EACH ROW EXECUTE FUNCTION wipe_trigger()
        CREATE TRIGGER ! CREATE TRIGGER more AFTER INSERT ON keep EXECUTE FUNCTION wipe_trigger(); INSERT INTO keep VALUES (9)
        CREATE TYPE : CREATE TYPE more AS ENUM ('a')
        CREATE TYPE : CREATE TYPE more AS (a int)
        CREATE TYPE ! CREATE TYPE more AS RANGE (SUBTYPE = int, SUBTYPE_DIFF = f); INSERT INTO alone VALUES (9)
        CREATE USER : CREATE USER loss_reader_more
        CREATE USER MAPPING : CREATE USER MAPPING FOR PUBLIC SERVER s
        CREATE VIEW : CREATE VIEW more AS SELECT wipe()
        CREATE VIEW ! CREATE VIEW more AS SELECT wipe(); SELECT * FROM more
        DEALLOCATE : DEALLOCATE ALL
        DECLARE ! DECLARE c CURSOR FOR SELECT wipe()
        DELETE ! DELETE FROM keep WHERE id = 1
        DISCARD : DISCARD PLANS
        DISCARD ! CREATE TEMP TABLE alone (i int); DISCARD TEMP; DROP TABLE alone
        DO ! DO 'BEGIN END'
        DROP ACCESS METHOD : DROP ACCESS METHOD h
        DROP AGGREGATE : DROP AGGREGATE last_of(int)
        DROP CAST : DROP CAST (mood AS text)
        DROP COLLATION ! DROP COLLATION mine CASCADE
        DROP CONVERSION : DROP CONVERSION c
        DROP DATABASE ! DROP DATABASE other
        DROP DOMAIN ! DROP DOMAIN short CASCADE
        DROP EVENT TRIGGER : DROP EVENT TRIGGER e
        DROP EXTENSION : DROP EXTENSION IF EXISTS unknown
        DROP EXTENSION ! DROP EXTENSION unknown CASCADE
        DROP FOREIGN DATA WRAPPER ! DROP FOREIGN DATA WRAPPER w CASCADE
        DROP FOREIGN TABLE : DROP FOREIGN TABLE IF EXISTS nowhere
        DROP FUNCTION : DROP FUNCTION wipe_trigger_2()
        DROP FUNCTION ! DROP FUNCTION kind(int) CASCADE
        DROP GROUP : DROP GROUP loss_reader_more
        DROP INDEX : DROP INDEX alone_v
        DROP LANGUAGE : DROP LANGUAGE more
        DROP LANGUAGE ! DROP LANGUAGE plpgsql CASCADE
        DROP MATERIALIZED VIEW ! DROP MATERIALIZED VIEW snapshot
        DROP OPERATOR : DROP OPERATOR === (int, int)
        DROP OPERATOR CLASS : DROP OPERATOR CLASS c USING btree
        DROP OPERATOR FAMILY ! DROP OPERATOR FAMILY f USING btree CASCADE
        DROP OWNED ! DROP OWNED BY loss_reader_owner CASCADE
        DROP POLICY : DROP POLICY visible ON guarded
        DROP PROCEDURE : DROP PROCEDURE wipe_all()
        DROP PUBLICATION : DROP PUBLICATION news
        DROP ROLE : DROP ROLE loss_reader_more
        DROP ROUTINE : DROP ROUTINE wipe_all()
        DROP RULE : DROP RULE wiping ON ruled
        DROP SCHEMA ! DROP SCHEMA app CASCADE
        DROP SEQUENCE ! DROP SEQUENCE counter
        DROP SERVER ! DROP SERVER s CASCADE
        DROP STATISTICS : DROP STATISTICS known
        DROP SUBSCRIPTION ! DROP SUBSCRIPTION s
        DROP SUBSCRIPTION ! DROP SUBSCRIPTION IF EXISTS s
        DROP TABLE ! DROP TABLE alone
        DROP TABLESPACE : DROP TABLESPACE more
        DROP TEXT SEARCH CONFIGURATION : DROP TEXT SEARCH CONFIGURATION t
        DROP TEXT SEARCH DICTIONARY : DROP TEXT SEARCH DICTIONARY t
        DROP TEXT SEARCH PARSER : DROP TEXT SEARCH PARSER t
        DROP TEXT SEARCH TEMPLATE ! DROP TEXT SEARCH TEMPLATE t CASCADE
        DROP TRANSFORM : DROP TRANSFORM FOR int LANGUAGE sql
        DROP TRIGGER : DROP TRIGGER audit ON audited
        DROP TYPE ! DROP TYPE mood CASCADE
        DROP USER : DROP USER loss_reader_more
        DROP USER MAPPING : DROP USER MAPPING FOR PUBLIC SERVER s
        DROP VIEW : DROP VIEW wiping_view
        DROP VIEW ! DROP VIEW viewed_view CASCADE
        END : END
        EXECUTE ! EXECUTE p
        EXPLAIN ! EXPLAIN ANALYZE DELETE FROM alone
        FETCH ! FETCH ALL FROM c
        GRANT : GRANT SELECT ON keep TO PUBLIC
        IMPORT FOREIGN SCHEMA ! IMPORT FOREIGN SCHEMA a FROM SERVER s INTO public
        INSERT : INSERT INTO alone VALUES (9, 'x')
        INSERT ! INSERT INTO keep VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET v = 'y'
        LISTEN : LISTEN a
        LOAD ! LOAD 'auto_explain'
        LOCK : LOCK TABLE keep
        MERGE ! MERGE INTO keep USING alone ON keep.id = alone.id WHEN MATCHED THEN DELETE
        MOVE ! MOVE NEXT FROM c
        NOTIFY : NOTIFY a
        PREPARE : PREPARE p AS DELETE FROM alone
        PREPARE TRANSACTION ! PREPARE TRANSACTION 'x'
        REASSIGN OWNED : REASSIGN OWNED BY loss_reader_owner TO CURRENT_USER
        REFRESH MATERIALIZED VIEW ! REFRESH MATERIALIZED VIEW snapshot
        REINDEX : REINDEX TABLE keep
        REINDEX ! REINDEX TABLE indexed
        RELEASE SAVEPOINT : SAVEPOINT a; RELEASE SAVEPOINT a
        RESET : RESET work_mem
        REVOKE : REVOKE SELECT ON keep FROM PUBLIC
        ROLLBACK ! ROLLBACK
        ROLLBACK PREPARED ! ROLLBACK PREPARED 'x'
        ROLLBACK TO SAVEPOINT ! ROLLBACK TO SAVEPOINT a
        SAVEPOINT : SAVEPOINT a
        SECURITY LABEL : SECURITY LABEL ON TABLE keep IS 'x'
        SELECT : SELECT count(*) FROM keep
        SELECT ! SELECT wipe()
        SELECT INTO : SELECT id INTO more FROM keep
        SELECT INTO ! SELECT wipe() INTO more
        SET : SET LOCAL work_mem = '1MB'
        SET ! SET zero_damaged_pages = on
        SET CONSTRAINTS : SET CONSTRAINTS ALL IMMEDIATE
        SET ROLE : SET LOCAL ROLE NONE
        SET SESSION AUTHORIZATION : SET LOCAL SESSION AUTHORIZATION DEFAULT
        SET TRANSACTION : SET TRANSACTION ISOLATION LEVEL READ COMMITTED
        SHOW : SHOW work_mem
        START TRANSACTION : START TRANSACTION
        TABLE : TABLE keep
        TABLE ! TABLE wiping_view
        TRUNCATE ! TRUNCATE alone
        UNLISTEN : UNLISTEN a
        UPDATE ! UPDATE keep SET v = 'x'
        VACUUM : VACUUM keep
        VACUUM ! VACUUM FULL indexed
        VALUES : VALUES (1)
        VALUES ! VALUES (wipe())
        WITH : WITH one AS (SELECT 1) SELECT * FROM one
        WITH ! WITH gone AS (DELETE FROM keep RETURNING id) SELECT count(*) FROM gone
        """;

    private static readonly List<(string Command, bool Destroys, string Sql)> All =
    [
        .. Judged.Split('\n').Select(line => Line().Match(line.Trim()))
            .Select(match => (match.Groups[1].Value, match.Groups[2].Value == "!", match.Groups[3].Value)),
    ];

    [Fact]
    public async Task Every_command_of_PostgreSQL_is_judged()
    {
        var help = await Psql.RunAsync(everything.Database, ["-c", @"\h"]);
        var commands = help.Output.Split('\n').Skip(1).SelectMany(line => Blanks().Split(line.Trim()))
            .Where(word => word.Length > 0).ToList();

        commands.Count.ShouldBeGreaterThan(150);
        commands.Except(All.Select(one => one.Command)).ShouldBeEmpty("Say in this table what they do to rows.");
    }

    [Fact]
    public async Task Only_what_can_destroy_nothing_is_said_to()
    {
        await everything.Database.ExecuteAsync(
            "CREATE AGGREGATE last_of(int) (SFUNC = int4larger, STYPE = int); CREATE PUBLICATION news; CREATE STATISTICS known ON id, v "
            + "FROM keep; CREATE TABLE guarded (i int); INSERT INTO guarded VALUES (1); CREATE POLICY visible ON guarded");
        var wrong = new List<string>();
        await using var connection = await everything.Database.ConnectAsync();
        var before = await StoredData.ReadAsync(connection);
        foreach (var (_, destroys, sql) in All)
        {
            var steps = LossReaderTests.Steps(sql);
            var (_, targets, unclear) = await StoredData.ForecastAsync(everything.Database, steps);
            if (targets.Count + unclear.Count > 0 != destroys)
            {
                wrong.Add($"{sql}: {string.Join("; ", targets.Select(t => t.What).Concat(unclear.Select(u => $"{u.What}, {u.Reason}")))}");
            }

            await using var transaction = await connection.BeginTransactionAsync();
            if (!destroys && sql is not ("COMMIT" or "END" or "DEALLOCATE ALL") && await LossReaderTests.RunAsync(connection, steps)
                && before.LostIn(await StoredData.ReadAsync(connection)).Count > 0)
            {
                wrong.Add($"{sql} destroyed something");
            }
        }

        wrong.ShouldBeEmpty();
    }

    [GeneratedRegex("^([A-Z ]+) ([:!]) (.+)$")]
    private static partial Regex Line();

    [GeneratedRegex(" {2,}|(?<=CONFIGURATION) +")]
    private static partial Regex Blanks();
}
