namespace ChatGenius.Tests.Migrations;

public class MigratorTests
{
    private const string Tables =
        "SELECT coalesce(string_agg(relname, ' ' ORDER BY relname), '') FROM pg_class WHERE relnamespace = 'public'::regnamespace AND "
            + "relkind = 'r'";

    [Fact]
    public async Task Applying_twice_applies_once()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").WriteTable(2, "b");

        (await folder.ApplyAsync(database)).Finished.Select(done => done.Step.Id).ShouldBe(["0001_create_a", "0002_create_b"]);
        (await folder.ApplyAsync(database)).Finished.ShouldBeEmpty();

        (await database.ScalarAsync<string>(Tables)).ShouldBe("a b");
        (await database.ScalarAsync<string>(
            "SELECT string_agg(version || name || origin, ' ' ORDER BY version) FROM chatgenius_db.history"))
            .ShouldBe("1create_afolder 2create_bfolder");
    }

    [Fact]
    public async Task A_failing_statement_leaves_nothing_of_its_migration_and_all_of_those_before()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a")
            .Write(2, "broken",
            "CREATE TABLE b (id int);\nINSERT INTO b VALUES (1);\nINSERT INTO b (id, nix) VALUES ('ä😀', 1);\nCREATE TABLE never (id int);")
            .WriteTable(3, "c");

        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems.ShouldHaveSingleItem();

        problem.Code.ShouldBe("CG0502");
        problem.Message.ShouldContain("SQLSTATE 42703");
        problem.Where!.Line.ShouldBe(4);
        problem.Where.Column.ShouldBe(20);
        (await database.ScalarAsync<string>(Tables)).ShouldBe("a");
        (await folder.StatusAsync(database)).ShouldBe("1:Applied 2:Pending 3:Pending");

        folder.Write(2, "broken", "CREATE TABLE b (id int);");
        await folder.ApplyAsync(database);
        (await database.ScalarAsync<string>(Tables)).ShouldBe("a b c");
    }

    [Fact]
    public async Task A_migration_that_deallocates_all_prepared_statements_takes_none_that_the_run_needs()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").Write(2, "deallocate", "INSERT INTO a VALUES (1);\nDEALLOCATE ALL;")
            .WriteTable(3, "b")
            .Write(4, "deallocate_again", "DEALLOCATE ALL;\nINSERT INTO a VALUES (2);");

        (await folder.ApplyAsync(database)).Finished.Count.ShouldBe(4);

        (await database.ScalarAsync<string>("SELECT string_agg(id::text, ' ' ORDER BY id) FROM a")).ShouldBe("1 2");
        (await database.ScalarAsync<string>(
            "SELECT string_agg(version || ':' || retries, ' ' ORDER BY version) FROM chatgenius_db.history")).ShouldBe("1:0 2:0 3:0 4:0");
    }

    [Fact]
    public async Task What_a_migration_sets_ends_with_it_and_the_runs_own_settings_hold_for_the_next()
    {
        await using var database = await TestDatabase.CreateAsync();
        var seen =
            "INSERT INTO seen SELECT current_setting('lock_timeout'), current_setting('statement_timeout'), "
            + "current_setting('search_path'), current_setting('application_name');";
        using var folder = new Folder()
            .Write(1, "make", "CREATE TABLE seen (lock_timeout text, statement_timeout text, search_path text, name text);")
            .Write(2, "set",
            "SET lock_timeout = '7min'; SET LOCAL statement_timeout = '8min'; SET search_path = pg_catalog; SET application_name = 'me';")
            .Write(3, "see", seen)
            .Write(4, "fail", "SELECT 1 / 0;");

        await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database));
        folder.Delete(4);
        folder.Write(4, "see_again", seen);
        await folder.ApplyAsync(database);

        (await database.ScalarAsync<string>("SELECT string_agg(DISTINCT seen::text, ' ') FROM seen"))
            .ShouldBe("(5s,0,\"\"\"$user\"\", public\",chatgenius-db)");
        (await database.ScalarAsync<long>("SELECT count(*) FROM seen")).ShouldBe(2);
    }

    [Fact]
    public async Task Eight_runs_at_once_apply_each_migration_once()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").WriteTable(2, "b").Write(3, "wait", "SELECT pg_sleep(0.2);");
        var migrators = Enumerable.Range(0, 8).Select(_ => folder.Migrator(database)).ToList();

        var results = await Task.WhenAll(migrators.Select(migrator => migrator.ApplyAsync(new PlanRequest())));

        results.Sum(result => result.Finished.Count).ShouldBe(3);
        (await database.ScalarAsync<long>("SELECT count(*) FROM chatgenius_db.history")).ShouldBe(3);
        folder.Events.OfType<MigrationEvent.WaitingForLock>().ShouldNotBeEmpty();
    }

    [Fact]
    public async Task A_run_that_may_not_wait_says_who_holds_the_lock()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "slow", "SELECT pg_sleep(1);");
        var first = folder.ApplyAsync(database);
        await folder.WaitForAsync<MigrationEvent.Started>();

        var second = await Should.ThrowAsync<ProblemException>(() =>
            folder.ApplyAsync(database, new MigratorOptions { WaitForLock = TimeSpan.Zero }));

        second.Problems[0].Code.ShouldBe("CG0501");
        second.Problems[0].Message.ShouldContain("application chatgenius-db");
        await first;
    }

    [Fact]
    public async Task Rolling_back_takes_the_newest_first_and_asks_the_history_where_the_file_is_gone()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").WriteTable(2, "b").WriteTable(3, "c");
        await folder.ApplyAsync(database);
        folder.Delete(2);

        (await folder.StatusAsync(database)).ShouldBe("1:Applied 2:Missing 3:Applied");
        (await folder.RollbackAsync(database, new RollbackRequest(Steps: 2))).Finished.Select(done => done.Step.Version).ShouldBe([3, 2]);
        (await database.ScalarAsync<string>(Tables)).ShouldBe("a");
        (await folder.StatusAsync(database)).ShouldBe("1:Applied 3:Pending");
    }

    [Fact]
    public async Task Session_settings_of_one_migration_do_not_reach_the_next_nor_the_history()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("CREATE SCHEMA other");
        using var folder = new Folder()
            .Write(1, "set", "SET search_path = other; SET ROLE pg_monitor; SET standard_conforming_strings = off;")
            .Write(2, "use", "CREATE TABLE b AS SELECT current_user::text AS who, 'a\\b' AS text;", "DROP TABLE b;");

        await folder.ApplyAsync(database);

        (await database.ScalarAsync<string>("SELECT who || text FROM public.b")).ShouldBe($"{database.Url.UserName}a\\b");
    }

    [Fact]
    public async Task Copy_rows_arrive_and_a_bad_row_names_its_migration()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(
            1, "copy",
            "CREATE TABLE a (id int, t text);\nCOPY a (id, t) FROM stdin;\n1\tone; -- two\n2\t\\N\n\\.\nINSERT INTO a SELECT count(*), "
            + "'n' FROM a;", "DROP TABLE a;");
        await folder.ApplyAsync(database);
        (await database.ScalarAsync<string>("SELECT string_agg(id || coalesce(t, '-'), ' ' ORDER BY id, t) FROM a"))
            .ShouldBe("1one; -- two 2n 2-");

        folder.Write(2, "bad_copy", "COPY a (id, t) FROM stdin;\n3\tx\nx\ty\n\\.\n");
        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems[0];
        problem.Message.ShouldContain("line 2");
        problem.Where!.Line.ShouldBe(4);
        (await database.ScalarAsync<long>("SELECT count(*) FROM a")).ShouldBe(3);
    }

    [Fact]
    public async Task A_single_transaction_keeps_all_or_nothing()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").WriteTable(2, "b").Write(3, "broken", "SELECT 1/0;");
        var options = new MigratorOptions { SingleTransaction = true };

        await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database, options));
        folder.Told<MigrationEvent.Started>().Select(told => told.Step.Version).ShouldBe([1, 2, 3]);
        (await database.ScalarAsync<string>(Tables)).ShouldBe("");

        folder.Delete(3);
        (await folder.ApplyAsync(database, options)).Finished.Count.ShouldBe(2);
        (await database.ScalarAsync<string>(Tables)).ShouldBe("a b");
    }

    [Fact]
    public async Task Edited_missing_and_out_of_order_are_told_together()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(2, "b").WriteTable(3, "c").WriteTable(5, "e");
        await folder.ApplyAsync(database);
        folder.Delete(3);
        folder.Write(2, "create_b", "CREATE TABLE b (id bigint);", "DROP TABLE b;").WriteTable(4, "d");

        var problems = (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems;
        problems.Select(problem => problem.Code).ShouldBe(["CG0401", "CG0402", "CG0403"]);
        (await folder.StatusAsync(database)).ShouldBe("2:Edited 3:Missing 4:OutOfOrder 5:Applied");
    }

    [Fact]
    public async Task Another_migration_with_an_applied_ones_number_is_told_from_an_edit()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").WriteTable(2, "b");
        await folder.ApplyAsync(database);
        folder.Delete(2);
        folder.WriteTable(2, "c");

        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems.ShouldHaveSingleItem();
        problem.Code.ShouldBe("CG0401");
        problem.Message.ShouldStartWith("0002_create_c is not 0002_create_b, which was applied on ");
        problem.Advice!.ShouldContain("'chatgenius-db renumber 0002_create_c.sql'");
    }

    [Fact]
    public async Task The_numbers_to_choose_from_go_upwards_in_a_rollback_too()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").WriteTable(2, "b");
        await folder.ApplyAsync(database);

        var problem = (await Should.ThrowAsync<ProblemException>(
            () => folder.RollbackAsync(database, new RollbackRequest(To: 9)))).Problems.ShouldHaveSingleItem();
        problem.Code.ShouldBe("CG0406");
        problem.Advice!.ShouldStartWith("Choose one of 0001_create_a to 0002_create_b");
    }

    [Fact]
    public async Task A_comment_may_be_edited_after_applying()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a");
        await folder.ApplyAsync(database);

        folder.Write(1, "create_a", "-- why\r\nCREATE  TABLE a\r\n(id int);", "DROP TABLE a;");

        (await folder.StatusAsync(database)).ShouldBe("1:Applied");
    }

    [Fact]
    public async Task An_irreversible_migration_refuses_with_its_reason()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "lose", "SELECT 1;", "-- the old values are gone", downOptions: " irreversible:true");
        await folder.ApplyAsync(database);

        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.RollbackAsync(database))).Problems[0];

        problem.Code.ShouldBe("CG0407");
        problem.Message.ShouldContain("the old values are gone");
    }

    [Theory]
    [InlineData("history")]
    [InlineData("journal")]
    public async Task A_history_that_lost_a_part_is_a_problem_and_nothing_runs_again(string part)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "count", "CREATE TABLE IF NOT EXISTS a (id int); INSERT INTO a VALUES (1);",
            "DROP TABLE a;");
        await folder.ApplyAsync(database);
        await database.ExecuteAsync($"ALTER TABLE chatgenius_db.{part} RENAME TO {part}_away");

        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems[0];

        problem.Code.ShouldBe("CG0513");
        problem.Advice!.ShouldContain("from a backup");
        await database.ExecuteAsync($"ALTER TABLE chatgenius_db.{part}_away RENAME TO {part}");
        (await folder.ApplyAsync(database)).Finished.ShouldBeEmpty();
        (await database.ScalarAsync<long>("SELECT count(*) FROM a")).ShouldBe(1);
    }

    [Fact]
    public async Task A_history_that_lost_its_format_gets_it_back()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "count", "CREATE TABLE IF NOT EXISTS a (id int); INSERT INTO a VALUES (1);",
            "DROP TABLE a;");
        await folder.ApplyAsync(database);
        await database.ExecuteAsync("DROP TABLE chatgenius_db.format");

        (await folder.ApplyAsync(database)).Finished.ShouldBeEmpty();

        (await folder.StatusAsync(database)).ShouldBe("1:Applied");
        (await database.ScalarAsync<long>("SELECT count(*) FROM a")).ShouldBe(1);
    }

    [Fact]
    public async Task A_deferred_constraint_that_fails_at_commit_fails_its_migration()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "deferred",
            "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p DEFERRABLE INITIALLY DEFERRED); INSERT INTO c VALUES "
                + "(1);");

        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems[0];

        problem.Message.ShouldContain("SQLSTATE 23503");
        folder.Events.OfType<MigrationEvent.Finished>().ShouldBeEmpty();
        (await database.ScalarAsync<string>(Tables)).ShouldBe("");
    }

    [Fact]
    public async Task A_commit_that_meets_a_lock_is_tried_again_and_not_taken_for_done()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder()
            .Write(1, "gate", "CREATE TABLE gate (id int); CREATE TABLE a (id int);\n"
                + "CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN LOCK TABLE gate; RETURN NEW; END $$;\n"
                + "CREATE CONSTRAINT TRIGGER pass AFTER INSERT ON a DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pass();",
                "DROP TABLE a, gate;");
        await folder.ApplyAsync(database);
        folder.WriteTable(2, "b").Write(3, "insert", "INSERT INTO a VALUES (1);", "DELETE FROM a;").WriteTable(4, "c");
        await using var holder = await database.ConnectAsync();
        await using var transaction = await holder.BeginTransactionAsync();
        await new Npgsql.NpgsqlCommand("SELECT * FROM gate", holder).ExecuteNonQueryAsync();
        folder.Events.Clear();

        var run = folder.ApplyAsync(database, new MigratorOptions { LockTimeout = TimeSpan.FromMilliseconds(200) });
        await folder.WaitForAsync<MigrationEvent.Retrying>();
        folder.Events.OfType<MigrationEvent.Finished>().Select(e => e.Step.Version).ShouldBe([2]);
        await transaction.RollbackAsync();

        (await run).Finished.Select(item => item.Step.Version).ShouldBe([2, 3, 4]);
        (await database.ScalarAsync<string>("SELECT string_agg(version::text, ' ' ORDER BY version) FROM chatgenius_db.history"))
            .ShouldBe("1 2 3 4");
        (await database.ScalarAsync<long>("SELECT count(*) FROM a")).ShouldBe(1);
    }

    [Fact]
    public async Task A_lock_that_is_freed_in_time_only_costs_retries()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a");
        await folder.ApplyAsync(database);
        folder.Write(2, "alter", "ALTER TABLE a ADD COLUMN b int;", "ALTER TABLE a DROP COLUMN b;").WriteTable(3, "c");
        await using var holder = await database.ConnectAsync();
        await using var transaction = await holder.BeginTransactionAsync();
        await new Npgsql.NpgsqlCommand("LOCK TABLE a", holder).ExecuteNonQueryAsync();

        var run = folder.ApplyAsync(database, new MigratorOptions { LockTimeout = TimeSpan.FromSeconds(1) });
        await folder.WaitForAsync<MigrationEvent.Retrying>();
        await transaction.RollbackAsync();

        (await run).Finished.Count.ShouldBe(2);
        folder.Events.OfType<MigrationEvent.Retrying>().First().Reason.ShouldContain($"held by pid {holder.ProcessID}");
        (await database.ScalarAsync<int>("SELECT retries FROM chatgenius_db.history WHERE version = 2")).ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_statement_that_a_later_migration_has_as_well_belongs_to_the_one_that_is_under_way()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "first", "SELECT pg_advisory_xact_lock(7);")
            .Write(2, "second", "SELECT pg_advisory_xact_lock(7);");
        await using var holder = await database.ConnectAsync();
        await using var transaction = await holder.BeginTransactionAsync();
        await new Npgsql.NpgsqlCommand("SELECT pg_advisory_xact_lock(7)", holder).ExecuteNonQueryAsync();

        var run = folder.ApplyAsync(database, new MigratorOptions { LockTimeout = TimeSpan.FromMinutes(5) });
        await folder.WaitForAsync<MigrationEvent.WaitingForRelation>();
        var started = folder.Told<MigrationEvent.Started>().Select(told => told.Step.Version);
        var waiting = folder.Told<MigrationEvent.WaitingForRelation>().Select(told => told.Step!.Version);
        await transaction.RollbackAsync();
        await run;

        started.ShouldBe([1]);
        waiting.ShouldBe([1]);
    }

    [Fact]
    public async Task What_the_history_refuses_is_told_with_its_migration_and_keeps_those_before()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a");
        await folder.ApplyAsync(database);
        folder.WriteTable(2, "b")
            .Write(3, "create_c",
                "CREATE TABLE c (id int); INSERT INTO chatgenius_db.history (version, name, checksum, down_checksum, down_sql, "
                    + "duration_ms, tool_version, origin) "
                + "VALUES (3, '', '', '', '', 0, '', 'folder');", "DROP TABLE c;")
            .WriteTable(4, "d");

        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems.ShouldHaveSingleItem();

        problem.Code.ShouldBe("CG0502");
        problem.Message.ShouldStartWith("0003_create_c: duplicate key value violates unique constraint \"history_pkey\"");
        problem.Message.ShouldContain("statement: what writes its row into the history");
        (await database.ScalarAsync<string>(Tables)).ShouldBe("a b");
        (await folder.StatusAsync(database)).ShouldBe("1:Applied 2:Applied 3:Pending 4:Pending");
    }

    [Fact]
    public async Task Sessions_that_wait_behind_us_for_too_long_make_us_give_way()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a");
        await folder.ApplyAsync(database);
        folder.Write(2, "alter", "ALTER TABLE a ADD COLUMN b int;", "ALTER TABLE a DROP COLUMN b;");
        await using var holder = await database.ConnectAsync();
        await using var transaction = await holder.BeginTransactionAsync();
        await new Npgsql.NpgsqlCommand("SELECT * FROM a", holder).ExecuteNonQueryAsync();

        var run = folder.ApplyAsync(database, new MigratorOptions { LockTimeout = TimeSpan.FromMinutes(5), MaxBlocked = 1,
            MaxBlockedTime = TimeSpan.FromMilliseconds(200) });
        await folder.WaitForAsync<MigrationEvent.WaitingForRelation>();
        await using var victim = await database.ConnectAsync();
        await new Npgsql.NpgsqlCommand("SELECT * FROM a", victim).ExecuteNonQueryAsync();
        await transaction.RollbackAsync();

        await run;
        folder.Events.OfType<MigrationEvent.Retrying>().First().Reason.ShouldContain("waited behind it");
    }

    [Fact]
    public async Task Who_gave_way_as_often_as_it_may_says_for_whom_and_what_helps()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a");
        await folder.ApplyAsync(database);
        folder.Write(2, "alter", "ALTER TABLE a ADD COLUMN b int; SELECT pg_sleep(60);", "ALTER TABLE a DROP COLUMN b;");
        using var stop = new CancellationTokenSource();
        var victim = Task.Run(async () =>
        {
            await using var connection = await database.ConnectAsync();
            while (!stop.IsCancellationRequested)
            {
                await new Npgsql.NpgsqlCommand("SELECT * FROM a", connection).ExecuteNonQueryAsync();
                await Task.Delay(5);
            }
        });

        var options = new MigratorOptions { MaxBlocked = 1, MaxBlockedTime = TimeSpan.FromMilliseconds(200), LockRetries = 1 };
        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database, options))).Problems[0];
        await stop.CancelAsync();
        await victim;

        problem.Code.ShouldBe("CG0502");
        problem.Message.ShouldContain("1 session waited behind it");
        problem.Advice!.ShouldContain("--max-blocked-time");
        (await folder.StatusAsync(database)).ShouldBe("1:Applied 2:Pending");
    }

    [Fact]
    public async Task A_watch_that_dies_takes_the_running_migration_with_it()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "slow", "CREATE TABLE a (id int); SELECT pg_sleep(5);", "DROP TABLE a;");
        var run = folder.ApplyAsync(database);
        await folder.WaitForAsync<MigrationEvent.Started>();
        await database.ExecuteAsync(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE "
            + "datname = current_database())");

        (await Should.ThrowAsync<ProblemException>(run)).Problems[0].Code.ShouldBe("CG0504");
        (await database.ScalarAsync<string>(Tables)).ShouldBe("");
        folder.Write(1, "slow", "CREATE TABLE a (id int);", "DROP TABLE a;");
        (await folder.ApplyAsync(database)).Finished.Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_fence_rolls_back_a_commit_without_the_lock()
    {
        await using var database = await TestDatabase.CreateAsync();
        // The migration itself kills the watch, and is done before anybody notices.
        using var folder = new Folder().Write(1, "kill",
            "CREATE TABLE a (id int); SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND pid <> "
                + "pg_backend_pid() AND database = (SELECT oid FROM pg_database WHERE datname = current_database());");

        (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems[0].Code.ShouldBe("CG0504");
        (await database.ScalarAsync<string>(Tables)).ShouldBe("");
        (await folder.StatusAsync(database)).ShouldBe("1:Pending");
    }

    [Fact]
    public async Task Cancelling_rolls_back_the_running_migration_and_keeps_the_finished_ones()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").Write(2, "slow", "CREATE TABLE b (id int); SELECT pg_sleep(30);",
            "DROP TABLE b;");
        using var cancel = new CancellationTokenSource();
        var run = folder.ApplyAsync(database, token: cancel.Token);
        await folder.WaitForAsync<MigrationEvent.Started>(started => started.Step.Version == 2);
        await cancel.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(run);
        var told = folder.Told<MigrationEvent.Cancelled>().ShouldHaveSingleItem();
        (told.Step!.Version, told.FinishedCount).ShouldBe((2, 1));
        (await database.ScalarAsync<string>(Tables)).ShouldBe("a");
        (await folder.StatusAsync(database)).ShouldBe("1:Applied 2:Pending");
        (await database.ScalarAsync<long>(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(30)%' AND state = "
            + "'active' AND pid <> pg_backend_pid()")).ShouldBe(0);
    }

    [Fact]
    public async Task A_baseline_takes_over_what_is_there()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").WriteTable(2, "b").WriteTable(3, "c");
        await database.ExecuteAsync("CREATE TABLE a (id int); CREATE TABLE b (id int)");
        var migrator = folder.Migrator(database);

        (await migrator.BaselineAsync(new BaselineRequest(2))).Marked.Count.ShouldBe(2);
        (await migrator.BaselineAsync(new BaselineRequest(2))).Marked.Count.ShouldBe(0);
        (await migrator.ApplyAsync(new PlanRequest())).Finished.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_role_that_may_not_create_the_history_is_told_what_to_grant()
    {
        await using var database = await TestDatabase.CreateAsync();
        var role = "limited_" + Guid.NewGuid().ToString("N")[..8];
        await database.ExecuteAsync($"CREATE ROLE {role} LOGIN PASSWORD 'secret'");
        try
        {
            var url =
                Db.Connections.DatabaseUrl.Parse(new Npgsql.NpgsqlConnectionStringBuilder(database.Url.ConnectionString) { Username = role,
                Password = "secret" }.ConnectionString, "test");
            using var folder = new Folder().WriteTable(1, "a");
            var migrator = new Migrator(new Db.Connections.Database(url), MigrationSource.Load(folder.Path, bundle: false));

            var problem = (await Should.ThrowAsync<ProblemException>(() => migrator.ApplyAsync(new PlanRequest()))).Problems[0];

            problem.Code.ShouldBe("CG0510");
            problem.Advice!.ShouldContain($"TO {role}");
        }
        finally
        {
            await database.ExecuteAsync($"DROP ROLE {role}");
        }
    }

    [Fact]
    public async Task A_history_that_is_something_else_or_may_not_be_read_is_a_problem()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            "CREATE SCHEMA chatgenius_db; CREATE TABLE chatgenius_db.format (version int); CREATE TABLE chatgenius_db.history (id int)");
        using var folder = new Folder().WriteTable(1, "a");

        (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems[0].Code.ShouldBe("CG0517");
        (await Should.ThrowAsync<ProblemException>(() => folder.StatusAsync(database))).Problems[0].Code.ShouldBe("CG0517");
    }

    [Fact]
    public async Task The_bundle_goes_up_and_down_and_up()
    {
        await using var database = await TestDatabase.CreateAsync();
        var migrator = new Migrator(database.Database, MigrationSource.Load(null));

        (await migrator.ApplyAsync(new PlanRequest())).Finished.Count.ShouldBe(5);
        (await migrator.RollbackAsync(new RollbackRequest(All: true))).Finished.Count.ShouldBe(5);
        (await database.ScalarAsync<string>(Tables)).ShouldBe("");
        (await migrator.ApplyAsync(new PlanRequest())).Finished.Count.ShouldBe(5);
        (await database.ScalarAsync<long>("SELECT count(*) FROM messages")).ShouldBe(4);
    }
}
