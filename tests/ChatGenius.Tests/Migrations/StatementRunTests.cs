using ChatGenius.Db.Sql;

namespace ChatGenius.Tests.Migrations;

public class StatementRunTests
{
    private const string Outside = " transaction:false";
    private const string IndexIsValid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_id_idx'::regclass";

    [Fact]
    public async Task Statements_that_refuse_a_transaction_run()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").Write(
            2, "outside",
            "CREATE INDEX CONCURRENTLY a_id_idx ON a (id);\nVACUUM a;\nREINDEX INDEX CONCURRENTLY a_id_idx;\nINSERT INTO a VALUES (1);\n"
            + "DO $$ BEGIN FOR i IN 1..3 LOOP INSERT INTO a VALUES (i); COMMIT; END LOOP; END $$;\nCOPY a FROM stdin;\n7\n\\.\n",
            "DROP INDEX CONCURRENTLY a_id_idx;\nDELETE FROM a;", Outside, Outside);

        (await folder.ApplyAsync(database)).Finished.Count.ShouldBe(2);
        (await database.ScalarAsync<bool>(IndexIsValid)).ShouldBeTrue();
        (await database.ScalarAsync<long>("SELECT count(*) FROM a")).ShouldBe(5);
        (await database.ScalarAsync<long>("SELECT count(*) FROM chatgenius_db.journal")).ShouldBe(0);

        await folder.RollbackAsync(database);
        (await database.ScalarAsync<bool>("SELECT to_regclass('a_id_idx') IS NULL")).ShouldBeTrue();
    }

    [Fact]
    public async Task After_a_failure_apply_goes_on_at_the_statement_that_failed()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").Write(
            2, "outside",
            "INSERT INTO a VALUES (1);\nSET my.flag = 'kept';\nINSERT INTO a VALUES (2);\nINSERT INTO a SELECT 3 FROM b WHERE "
            + "current_setting('my.flag') = 'kept';",
            "DELETE FROM a;", Outside);

        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems[0];
        problem.Where!.Line.ShouldBe(5);
        (await folder.StatusAsync(database)).ShouldBe("1:Applied 2:Interrupted");
        var status = (await folder.Migrator(database).StatusAsync())[1].Interruption!;
        (status.Statement, status.Count).ShouldBe((4, 4));

        await database.ExecuteAsync("CREATE TABLE b AS SELECT 1");
        await folder.ApplyAsync(database);
        (await database.ScalarAsync<string>("SELECT string_agg(id::text, ' ' ORDER BY id) FROM a")).ShouldBe("1 2 3");
    }

    [Fact]
    public async Task An_invalid_index_is_dropped_and_built_again_and_IF_NOT_EXISTS_does_not_hide_it()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder()
            .Write(1, "a", "CREATE TABLE a (id int); INSERT INTO a VALUES (1), (1);", "DROP TABLE a;")
            .Write(2, "index", "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS a_id_idx ON a (id);", "DROP INDEX CONCURRENTLY a_id_idx;",
            Outside, Outside);

        (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems[0].Message.ShouldContain("23505");
        (await database.ScalarAsync<bool>(IndexIsValid)).ShouldBeFalse();

        await database.ExecuteAsync("TRUNCATE a");
        await folder.ApplyAsync(database);
        (await database.ScalarAsync<bool>(IndexIsValid)).ShouldBeTrue();
    }

    [Fact]
    public async Task An_index_that_was_built_before_its_mark_was_written_counts_as_built()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a")
            .Write(2, "index", "CREATE INDEX CONCURRENTLY a_id_idx ON a (id);\nINSERT INTO a VALUES (1);", "SELECT 1;", Outside);
        var migration = (await folder.Migrator(database).PlanAsync(new PlanRequest())).Steps[1];
        await folder.ApplyAsync(database, request: new PlanRequest(To: 1));
        await database.ExecuteAsync("CREATE INDEX a_id_idx ON a (id)");
        await database.ExecuteAsync(
            "INSERT INTO chatgenius_db.journal (version, direction, statement, name, count, checksum, backend_start) VALUES (2, 'up', 1, "
                + $"'index', 2, '{migration.Section.Script.ChecksumOf(1)}', now())");

        await folder.ApplyAsync(database);

        folder.Events.OfType<MigrationEvent.StatementRecognised>().ShouldHaveSingleItem().Reason.ShouldContain("a_id_idx");
        (await database.ScalarAsync<long>("SELECT count(*) FROM a")).ShouldBe(1);
    }

    [Fact]
    public async Task What_only_its_author_can_judge_waits_for_repair()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").Write(
            2, "backfill",
            "DO $$ BEGIN INSERT INTO a VALUES (1); COMMIT; PERFORM 1 / (SELECT count(*) FROM pg_class WHERE relname = 'b'); END "
            + "$$;\nINSERT INTO a VALUES (2);",
            "SELECT 1;", Outside);
        await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database));

        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems[0];
        problem.Code.ShouldBe("CG0507");
        problem.Where!.Line.ShouldBe(2);

        await database.ExecuteAsync("CREATE TABLE b (id int)");
        var migrator = folder.Migrator(database);
        (await migrator.RepairAsync(2, RepairAction.Done)).Statement.ShouldBe(1);
        await migrator.ApplyAsync(new PlanRequest());
        (await database.ScalarAsync<string>("SELECT string_agg(id::text, ' ' ORDER BY id) FROM a")).ShouldBe("1 2");
        (await Should.ThrowAsync<ProblemException>(() => migrator.RepairAsync(2, RepairAction.Again))).Problems[0].Code.ShouldBe("CG0411");
    }

    [Fact]
    public async Task Repair_settles_only_what_was_shown_and_what_has_ended()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").Write(
            2, "backfill",
            "DO $$ BEGIN INSERT INTO a VALUES (1); COMMIT; PERFORM 1 / (SELECT count(*) FROM pg_class WHERE relname = 'b'); END $$;",
            "SELECT 1;", Outside);
        await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database));
        var migrator = folder.Migrator(database);
        var shown = (await migrator.StatusAsync())[1].Interruption!;

        // Another run has begun it once more, and its server is still at it.
        await using var other = await database.ConnectAsync();
        await database.ExecuteAsync(
            $"UPDATE chatgenius_db.journal SET pid = {other.ProcessID}, backend_start = (SELECT backend_start FROM pg_stat_activity WHERE "
            + $"pid = {other.ProcessID})");
        var running = new NpgsqlCommand("SELECT pg_sleep(600)", other).ExecuteNonQueryAsync();
        await UntilAsync(database, $"SELECT state = 'active' FROM pg_stat_activity WHERE pid = {other.ProcessID}");

        (await Should.ThrowAsync<ProblemException>(() => migrator.RepairAsync(2, RepairAction.Again, shown))).Problems[0]
            .Code.ShouldBe("CG0410");
        (await Should.ThrowAsync<ProblemException>(() => migrator.RepairAsync(2, RepairAction.Again))).Problems[0].Code.ShouldBe("CG0413");
        await database.ExecuteAsync($"SELECT pg_terminate_backend({other.ProcessID}, 10000)");
        await Should.ThrowAsync<PostgresException>(running);
        (await migrator.RepairAsync(2, RepairAction.Again, (await migrator.StatusAsync())[1].Interruption)).Statement.ShouldBe(1);
    }

    [Fact]
    public async Task An_edit_after_an_interruption_is_a_problem()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "x", "CREATE TABLE a (id int);\nSELECT 1/0;", "DROP TABLE a;", Outside);
        await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database));

        folder.Write(1, "x", "CREATE TABLE a (id bigint);\nSELECT 1;", "DROP TABLE a;", Outside);

        (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems[0].Code.ShouldBe("CG0404");
    }

    [Fact]
    public async Task A_transaction_that_a_section_manages_itself_is_kept_or_repeated_as_a_whole()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").Write(
            2, "own",
            "BEGIN;\nINSERT INTO a VALUES (1);\nCOMMIT;\nBEGIN;\nINSERT INTO a VALUES (2);\nINSERT INTO a SELECT 3 FROM b;\nCOMMIT;",
            "SELECT 1;", Outside);
        await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database));
        (await database.ScalarAsync<long>("SELECT count(*) FROM a")).ShouldBe(1);

        await database.ExecuteAsync("CREATE TABLE b AS SELECT 1");
        await folder.ApplyAsync(database);
        (await database.ScalarAsync<string>("SELECT string_agg(id::text, ' ' ORDER BY id) FROM a")).ShouldBe("1 2 3");
    }

    [Fact]
    public async Task An_index_that_was_there_before_does_not_count_as_built()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder()
            .Write(1, "a", "CREATE TABLE a (id int, other int); CREATE INDEX a_idx ON a (other);", "DROP TABLE a;")
            .Write(2, "index", "CREATE INDEX CONCURRENTLY a_idx ON a (id);", "DROP INDEX CONCURRENTLY a_idx;", Outside, Outside);

        for (var i = 0; i < 2; i++)
        {
            (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems[0].Message.ShouldContain("42P07");
        }

        // What the server refused was not begun, and may be mended.
        folder.Write(2, "index", "CREATE INDEX CONCURRENTLY a_id_idx ON a (id);", "DROP INDEX CONCURRENTLY a_id_idx;", Outside, Outside);
        await folder.ApplyAsync(database);
        (await database.ScalarAsync<bool>(IndexIsValid)).ShouldBeTrue();
    }

    [Theory]
    [InlineData("DROP INDEX CONCURRENTLY mistyped;", "42704")]
    [InlineData("ALTER TABLE a DETACH PARTITION mistyped CONCURRENTLY;", "42P01")]
    [InlineData("CREATE DATABASE postgres;", "42P04")]
    [InlineData("DROP TABLESPACE mistyped;", "42704")]
    public async Task What_never_was_does_not_count_as_taken_away_and_may_be_mended(string sql, string error)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "a", "CREATE TABLE a (id int) PARTITION BY RANGE (id);", "DROP TABLE a;")
            .Write(2, "wrong", sql, "SELECT 1;", Outside);

        for (var i = 0; i < 2; i++)
        {
            (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems[0].Message.ShouldContain(error);
        }

        folder.Write(2, "wrong", "SELECT 1;", "SELECT 1;", Outside);
        (await folder.ApplyAsync(database)).Finished.Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_index_that_somebody_else_builds_is_waited_for_and_built_again_where_that_fails()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a");
        await folder.ApplyAsync(database);
        folder.Write(2, "index", "CREATE INDEX CONCURRENTLY IF NOT EXISTS a_id_idx ON a (id);", "DROP INDEX a_id_idx;", Outside);
        await using var holder = await database.ConnectAsync();
        await using var transaction = await holder.BeginTransactionAsync();
        await new NpgsqlCommand("INSERT INTO a VALUES (1)", holder).ExecuteNonQueryAsync();
        await using var other = await database.ConnectAsync();
        var building = new NpgsqlCommand("CREATE INDEX CONCURRENTLY a_id_idx ON a (id)", other).ExecuteNonQueryAsync();
        await UntilAsync(database, "SELECT count(*) = 1 FROM pg_stat_progress_create_index WHERE index_relid = to_regclass('a_id_idx')");

        var run = folder.ApplyAsync(database);
        await folder.WaitForAsync<MigrationEvent.StatementStarted>();
        await Task.Delay(500);
        run.IsCompleted.ShouldBeFalse();
        await database.ExecuteAsync($"SELECT pg_cancel_backend({other.ProcessID})");
        await Should.ThrowAsync<PostgresException>(building);
        await transaction.CommitAsync();

        await run;
        (await database.ScalarAsync<bool>(IndexIsValid)).ShouldBeTrue();
    }

    [Fact]
    public async Task Detaching_a_partition_that_was_interrupted_is_finished()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(
            1, "parts",
            "CREATE TABLE a (id int) PARTITION BY RANGE (id); CREATE TABLE a_1 PARTITION OF a FOR VALUES FROM (0) TO (10); INSERT INTO a "
            + "VALUES (1);", "DROP TABLE a;");
        await folder.ApplyAsync(database);
        folder.Write(2, "detach", "ALTER TABLE a DETACH PARTITION a_1 CONCURRENTLY;\nINSERT INTO a_1 VALUES (5);", "SELECT 1;", Outside);
        await using var reader = await database.ConnectAsync();
        await using var transaction = await reader.BeginTransactionAsync();
        await new NpgsqlCommand("SELECT * FROM a", reader).ExecuteNonQueryAsync();
        var run = folder.ApplyAsync(database, new MigratorOptions { LockTimeout = TimeSpan.Zero });
        await UntilAsync(database, "SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = 'a_1'::regclass");

        await database.ExecuteAsync(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%DETACH "
            + "PARTITION%' AND pid <> pg_backend_pid()");
        (await Should.ThrowAsync<ProblemException>(run)).Problems[0].Code.ShouldBe("CG0503");
        await transaction.CommitAsync();
        await folder.ApplyAsync(database);

        folder.Events.OfType<MigrationEvent.StatementRecognised>().Single().Reason.ShouldContain("a_1");
        (await database.ScalarAsync<long>("SELECT count(*) FROM pg_inherits")).ShouldBe(0);
        (await database.ScalarAsync<long>("SELECT sum(id) FROM a_1")).ShouldBe(6);
    }

    [Fact]
    public async Task Settings_that_pg_dump_makes_are_made_again_after_an_interruption()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(
            1, "dumped",
            "SELECT pg_catalog.set_config('search_path', 'extra', false);\nCREATE SCHEMA extra;\nCREATE TABLE a AS SELECT id FROM "
            + "public.later;", "DROP SCHEMA extra CASCADE;", Outside);
        await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database));

        await database.ExecuteAsync("CREATE TABLE later AS SELECT 1 AS id");
        await folder.ApplyAsync(database);

        (await database.ScalarAsync<bool>("SELECT to_regclass('extra.a') IS NOT NULL")).ShouldBeTrue();
    }

    [Fact]
    public async Task What_a_section_sets_outlives_an_index_that_is_built_in_between()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").Write(
            2, "index",
            "SET statement_timeout = '17min';\nCREATE INDEX CONCURRENTLY a_id_idx ON a (id);\nCREATE TABLE seen AS SELECT "
            + "current_setting('statement_timeout') || ' ' || current_setting('lock_timeout') AS s;", "SELECT 1;", Outside);

        await folder.ApplyAsync(database, new MigratorOptions { LockTimeout = TimeSpan.FromSeconds(7) });

        (await database.ScalarAsync<string>("SELECT s FROM seen")).ShouldBe("17min 7s");
    }

    private static async Task UntilAsync(TestDatabase database, string sql)
    {
        for (var i = 0; i < 600; i++)
        {
            if (await database.ScalarAsync<bool>(sql))
            {
                return;
            }

            await Task.Delay(50);
        }

        throw new TimeoutException($"This did not come true: {sql}");
    }

    [Fact]
    public async Task A_watch_that_dies_behind_the_last_statement_costs_nothing()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "outside", "CREATE TABLE a (id int);", "DROP TABLE a;", Outside);
        await using var killer = await database.ConnectAsync();
        var migrator = new Migrator(database.Database, MigrationSource.Load(folder.Path, bundle: false), null, new WatchKiller(killer));

        (await migrator.ApplyAsync(new PlanRequest())).Finished.Count.ShouldBe(1);
        (await folder.StatusAsync(database)).ShouldBe("1:Applied");
    }

    /// <summary>Ends the session that holds the lock, as soon as a migration is finished and before the run goes on.</summary>
    private sealed class WatchKiller(NpgsqlConnection killer) : IProgress<MigrationEvent>
    {
        public void Report(MigrationEvent value)
        {
            if (value is MigrationEvent.Finished)
            {
                using var command = new NpgsqlCommand(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM "
                        + "pg_database WHERE datname = current_database())", killer);
                command.ExecuteScalar().ShouldBe(true);
            }
        }
    }

    [Theory]
    [InlineData("CREATE INDEX CONCURRENTLY IF NOT EXISTS \"My Index\" ON ONLY s.\"T\" (a)", "CreateIndex|\"My Index\"|s.\"T\"")]
    [InlineData("create unique /* c */ index concurrently i on t using gist (a)", "CreateIndex|i|t")]
    [InlineData("CREATE INDEX CONCURRENTLY ON t (a)", "CreateIndex||t")]
    [InlineData("CREATE INDEX concurrently_named ON t (a)", "InTransaction||")]
    [InlineData("DROP INDEX CONCURRENTLY IF EXISTS s.i", "DropIndex|s.i|")]
    [InlineData("DROP INDEX i", "InTransaction||")]
    [InlineData("REINDEX (VERBOSE) TABLE CONCURRENTLY t", "Reindex||")]
    [InlineData("VACUUM t", "Repeatable||")]
    [InlineData("DO $$ BEGIN COMMIT; END $$", "Opaque||")]
    [InlineData("DO $$ BEGIN PERFORM 1; END $$", "InTransaction||")]
    [InlineData("CALL p()", "Opaque||")]
    [InlineData("ALTER TABLE IF EXISTS ONLY s.t DETACH PARTITION s.\"P\" CONCURRENTLY", "DetachPartition|s.\"P\"|s.t")]
    [InlineData("ALTER TABLE t DETACH PARTITION p FINALIZE", "InTransaction||")]
    [InlineData("ALTER SUBSCRIPTION s REFRESH PUBLICATION", "Repeatable||")]
    [InlineData("ALTER SUBSCRIPTION s ADD PUBLICATION p", "Opaque||")]
    [InlineData("ALTER SUBSCRIPTION s DISABLE", "InTransaction||")]
    [InlineData("ALTER SUBSCRIPTION s SET (two_phase = false)", "Repeatable||")]
    [InlineData("CLUSTER (VERBOSE)", "Repeatable||")]
    [InlineData("CLUSTER t USING i", "Repeatable||")]
    [InlineData("COMMIT PREPARED 'p'", "Opaque||")]
    [InlineData("ROLLBACK PREPARED 'p'", "Opaque||")]
    [InlineData("BEGIN", "TransactionControl||")]
    [InlineData("ALTER TYPE mood ADD VALUE 'x'", "InTransaction||")]
    [InlineData("ALTER SYSTEM SET work_mem = '1MB'", "Repeatable||")]
    [InlineData("UPDATE t SET a = 1", "InTransaction||")]
    public void A_statements_text_says_how_it_can_run(string sql, string expected)
    {
        var statement = Db.Sql.SqlScript.Parse(Db.Text.SourceText.From("t.sql", sql)).Statements[0];

        var kind = StatementKind.Of(statement);

        $"{kind.Mode}|{kind.Index}|{kind.Table}".ShouldBe(expected);
    }
}
