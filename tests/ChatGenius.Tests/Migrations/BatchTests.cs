namespace ChatGenius.Tests.Migrations;

/// <summary>Sections that go through a table in slices.</summary>
public class BatchTests
{
    private const string Count = "UPDATE items SET n = n + 1 WHERE id BETWEEN :batch_first AND :batch_last;";

    /// <summary>Tables whose keys are of all kinds, each with a column that counts how often a row was changed.</summary>
    public static TheoryData<string, string, string> Keys => new()
    {
        { "id bigint PRIMARY KEY", "i * 3 - 500", "" },
        { "id uuid PRIMARY KEY", "gen_random_uuid()", "" },
        { "id text PRIMARY KEY", "'it''s \\ ' || md5(i::text)", "" },
        { "id text COLLATE \"C\" PRIMARY KEY", "chr(10 + i % 90) || i", "" },
        { "id timestamptz PRIMARY KEY", "'2026-01-01'::timestamptz + i * interval '1 ms 1 us'", "" },
        { "id numeric PRIMARY KEY", "i / 7.0", "" },
        { "id float8 PRIMARY KEY", "sqrt(i)", "" },
        { "id date PRIMARY KEY", "'2020-01-01'::date + i", "" },
        { "id interval PRIMARY KEY", "(i - 500) * interval '1 hour 1 s'", "" },
        { "id bytea PRIMARY KEY", "decode(md5(i::text), 'hex')", "" },
        { "id inet PRIMARY KEY", "'10.0.0.0'::inet + i", "" },
        { "id int NOT NULL UNIQUE", "i", " key:id" },
        { "\"Sell id\" int NOT NULL UNIQUE, id int NOT NULL UNIQUE", "i, -i", " key:id" },
    };

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task Every_row_is_changed_once_whatever_the_key_is(string columns, string values, string options)
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            $"CREATE TABLE items ({columns}, n int NOT NULL DEFAULT 0); INSERT INTO items SELECT {values} FROM generate_series(1, 1000) i");
        using var folder = new Folder().Write(1, "count", Count, Count, $" batch:items{options} size:90", $" batch:items{options}");

        await folder.ApplyAsync(database);

        (await database.ScalarAsync<string>("SELECT min(n) || ' ' || max(n) FROM items")).ShouldBe("1 1");
        (await database.ScalarAsync<string>(
            "SELECT row_count || ' ' || changed_count || ' ' || slice_count || ' ' || (finished_at IS NOT NULL) || ' ' || (wal_bytes > 0) "
            + "FROM chatgenius_db.batches")).ShouldBe("1000 1000 12 true true");
        (await database.ScalarAsync<string>("SELECT detail FROM chatgenius_db.log WHERE action = 'batched'"))
            .ShouldStartWith("1000 rows in 12 slices, 1000 written, ");
        (await database.ScalarAsync<long>("SELECT count(*) FROM chatgenius_db.journal")).ShouldBe(0);

        await folder.RollbackAsync(database);
        (await database.ScalarAsync<string>("SELECT min(n) || ' ' || max(n) FROM items")).ShouldBe("2 2");
        (await folder.StatusAsync(database)).ShouldBe("1:Pending");
    }

    [Fact]
    public async Task A_key_of_several_columns_goes_through_a_partitioned_table()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            """
            CREATE TABLE items (space uuid, id bigint, kind text, n int NOT NULL DEFAULT 0, PRIMARY KEY (space, id)) PARTITION BY HASH
                (space);
            CREATE TABLE items_0 PARTITION OF items FOR VALUES WITH (MODULUS 2, REMAINDER 0);
            CREATE TABLE items_1 PARTITION OF items FOR VALUES WITH (MODULUS 2, REMAINDER 1);
            INSERT INTO items SELECT md5((i % 7)::text)::uuid, i, 'a' FROM generate_series(1, 1000) i;
            """);
        using var folder = new Folder().Write(
            1, "count", "UPDATE items SET n = n + 1 WHERE (space, id) BETWEEN :batch_first AND :batch_last AND kind <> ':batch_last';",
            options: " batch:public.items key:space,id size:64");

        await folder.ApplyAsync(database);

        (await database.ScalarAsync<string>("SELECT min(n) || ' ' || max(n) || ' ' || count(*) FROM items")).ShouldBe("1 1 1000");
    }

    [Fact]
    public async Task Rows_are_deleted_copied_and_merged_in_slices_and_what_is_before_and_after_runs_once()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            "CREATE SCHEMA s; CREATE TABLE s.a (id int PRIMARY KEY); INSERT INTO s.a SELECT generate_series(1, 500); CREATE TABLE b "
                + "(id int)");
        const string Move =
            "WITH gone AS (DELETE FROM a WHERE id BETWEEN :batch_first AND :batch_last RETURNING id) INSERT INTO public.b SELECT id "
                + "FROM gone;";
        using var folder = new Folder()
            .Write(1, "copy", "INSERT INTO b SELECT id FROM s.a WHERE id BETWEEN :batch_first AND "
                + ":batch_last;", options: " batch:s.a size:50")
            .Write(2, "move", $"CREATE TABLE once (id int);\nSET search_path = s;\n{Move}\nINSERT INTO public.once SELECT count(*) FROM a;",
                options: " batch:a size:50");

        await folder.ApplyAsync(database);

        (await database.ScalarAsync<string>("SELECT (SELECT count(*) FROM s.a) || ' ' || count(*) || ' ' || count(DISTINCT id) FROM b"))
            .ShouldBe("0 1000 500");
        (await database.ScalarAsync<string>("SELECT string_agg(id::text, ' ') FROM once")).ShouldBe("0");
        (await database.ScalarAsync<string>(
            "SELECT string_agg(slice_count::text, ' ' ORDER BY version) || ' ' || min(statement) || max(statement) FROM "
                + "chatgenius_db.batches"))
            .ShouldBe("10 10 13");
    }

    [Fact]
    public async Task Passes_go_on_until_one_changes_no_row()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("CREATE TABLE items (id int PRIMARY KEY, n int NOT NULL); INSERT INTO items SELECT i, 3 FROM "
            + "generate_series(1, 100) i");
        using var folder = new Folder().Write(
            1, "drain", "UPDATE items SET n = n - 1 WHERE id BETWEEN :batch_first AND :batch_last AND n > 0;",
            options: " batch:items size:30 until:none");

        await folder.ApplyAsync(database);

        (await database.ScalarAsync<long>("SELECT sum(n) FROM items")).ShouldBe(0);
        (await database.ScalarAsync<string>("SELECT pass || ' ' || row_count || ' ' || changed_count FROM chatgenius_db.batches"))
            .ShouldBe("4 100 300");
    }

    [Fact]
    public async Task An_empty_table_has_no_slice()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "make", "CREATE TABLE items (id int PRIMARY KEY, n int)")
            .Write(2, "count", Count, options: " batch:items until:none");

        (await folder.ApplyAsync(database)).Finished.Count.ShouldBe(2);

        (await database.ScalarAsync<long>("SELECT slice_count FROM chatgenius_db.batches")).ShouldBe(0);
    }

    [Theory]
    [InlineData("CREATE TABLE other (id int PRIMARY KEY)", "", "There is no table items")]
    [InlineData("CREATE VIEW items AS SELECT 1 AS id, 2 AS n", "", "items is not a table")]
    [InlineData("CREATE TABLE items (id int PRIMARY KEY, n int); CREATE TABLE child () INHERITS (items)", "", "inherit from it")]
    [InlineData("CREATE TABLE items (id int, n int)", "", "items has no primary key")]
    [InlineData("CREATE TABLE items (id int PRIMARY KEY, n int)", " key:n", "no unique index over exactly (n)")]
    [InlineData("CREATE TABLE items (id int, n int, PRIMARY KEY (n, id))", " key:id,n", "no unique index over exactly (id, n)")]
    [InlineData("CREATE TABLE items (id int UNIQUE, n int)", " key:id", "may be null")]
    [InlineData("CREATE TABLE items (id int PRIMARY KEY DEFERRABLE, n int)", "", "it is deferrable")]
    [InlineData("CREATE TABLE items (id int NOT NULL, n int); CREATE UNIQUE INDEX ON items (id) WHERE n > 0", " key:id", "only a part")]
    [InlineData("CREATE TABLE items (id text NOT NULL, n int); CREATE UNIQUE INDEX ON items "
        + "(lower(id))", " key:id", "no unique index over")]
    [InlineData("CREATE TABLE items (id text NOT NULL, n int); CREATE UNIQUE INDEX ON items (id text_pattern_ops)", " key:id", "its order")]
    [InlineData("CREATE TABLE items (a int, id int, n int, PRIMARY KEY (id, a)) PARTITION BY RANGE (a)", "", "does not begin")]
    [InlineData("CREATE TABLE items (id int, n int PRIMARY KEY)", "", "changes n, by which it goes")]
    public async Task A_key_that_could_leave_rows_out_is_refused_before_anything_runs(string table, string options, string expected)
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(table);
        using var folder = new Folder().WriteTable(1, "before").Write(2, "count", Count, options: $" batch:items{options}");

        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems.ShouldHaveSingleItem();

        problem.Code.ShouldBe("CG0521");
        problem.Message.ShouldContain(expected);
        problem.Where!.Path.ShouldContain("0002_count.sql");
        (await folder.StatusAsync(database)).ShouldBe("1:Pending 2:Pending");
    }

    [Theory]
    [InlineData("UPDATE items i SET (n, id) = (1, 2) WHERE id BETWEEN :batch_first AND :batch_last", true)]
    [InlineData("UPDATE ONLY public.items SET n = id, \"id\" = 3 WHERE id BETWEEN :batch_first AND :batch_last", true)]
    [InlineData("INSERT INTO items SELECT id FROM items WHERE id BETWEEN :batch_first AND :batch_last ON CONFLICT (id) DO UPDATE SET "
        + "id = 1", true)]
    [InlineData("WITH x AS (UPDATE items SET id = 1 WHERE id BETWEEN :batch_first AND :batch_last RETURNING 1) INSERT INTO items "
        + "SELECT 1", true)]
    [InlineData("UPDATE items SET n = CASE WHEN id = 3 THEN 1 END WHERE id BETWEEN :batch_first AND :batch_last", false)]
    [InlineData("UPDATE items SET n = (id = 3)::int WHERE id BETWEEN :batch_first AND :batch_last", false)]
    [InlineData("UPDATE other o SET id = i.n FROM items i WHERE i.id BETWEEN :batch_first AND :batch_last", false)]
    public async Task A_statement_that_changes_its_key_is_told_from_one_that_only_reads_it(string statement, bool refused)
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("CREATE TABLE items (id int PRIMARY KEY, n int); CREATE TABLE other (id int); INSERT INTO items "
            + "VALUES (7, 0)");
        using var folder = new Folder().Write(1, "change", statement + ";", options: " batch:items");

        var failure = await Record.ExceptionAsync(() => folder.ApplyAsync(database));

        (failure as ProblemException)?.Problems[0].Code.ShouldBe(refused ? "CG0521" : "", failure.Message);
        (failure is not null).ShouldBe(refused);
    }

    [Fact]
    public async Task A_failing_slice_is_said_with_its_place_and_the_next_run_goes_on_there()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            "CREATE TABLE items (id text PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO items SELECT 'ä😀' || lpad(i::text, 4, '0'), "
            + "0 FROM generate_series(1, 300) i; UPDATE items SET n = -1 WHERE id = 'ä😀0200'");
        using var folder = new Folder().Write(
            1, "count", "UPDATE items SET n = n + 1 / (n + 1)\nWHERE id BETWEEN :batch_first AND :batch_last AND nix_😀 IS "
                + "NULL;", options: " batch:items size:40");

        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems.ShouldHaveSingleItem();
        (problem.Code, problem.Where!.Line, problem.Where.Column).ShouldBe(("CG0502", 3, 51));

        folder.Delete(1);
        folder.Write(1, "count", "UPDATE items SET n = n + 1 / (n + 1)\nWHERE id BETWEEN :batch_first AND "
            + ":batch_last;", options: " batch:items size:40");
        await database.ExecuteAsync("TRUNCATE chatgenius_db.journal");
        problem = (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems.ShouldHaveSingleItem();
        problem.Message.ShouldContain("division by zero");
        problem.Advice!.ShouldContain("slices before this one are done");
        (await database.ScalarAsync<long>("SELECT sum(n) FROM items WHERE n > 0")).ShouldBe(160);
        (await folder.StatusAsync(database)).ShouldBe("1:Interrupted");

        await database.ExecuteAsync("UPDATE items SET n = 0 WHERE n < 0");
        await folder.ApplyAsync(database);
        (await database.ScalarAsync<string>("SELECT min(n) || ' ' || max(n) FROM items")).ShouldBe("1 1");
    }

    [Fact]
    public async Task Who_goes_on_by_another_key_is_refused()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            "CREATE TABLE items (id int PRIMARY KEY, m int NOT NULL UNIQUE, n int NOT NULL DEFAULT 0); INSERT INTO items SELECT i, i, "
                + "0 FROM generate_series(1, 300) i;"
            + "ALTER TABLE items ADD CHECK (n = 0 OR id < 200)");
        using var folder = new Folder().Write(1, "count", Count, options: " batch:items size:50");
        await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database));
        await database.ExecuteAsync("ALTER TABLE items DROP CONSTRAINT items_check");
        folder.Write(1, "count", Count, options: " batch:items key:m size:50");

        (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems[0].Code.ShouldBe("CG0522");

        folder.Write(1, "count", Count, options: " batch:items key:id size:500");
        await folder.ApplyAsync(database);
        (await database.ScalarAsync<string>("SELECT min(n) || ' ' || max(n) FROM items")).ShouldBe("1 1");
    }

    [Fact]
    public async Task Rows_that_come_in_above_what_is_done_are_met_up_to_the_end_that_was_taken_at_the_start()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            "CREATE TABLE items (id int PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO items SELECT i * 10, 0 FROM "
                + "generate_series(1, 100) i");
        using var folder = new Folder().Write(1, "count", Count, options: " batch:items size:10 pause:50ms");
        var run = folder.ApplyAsync(database);
        await folder.WaitForAsync<MigrationEvent.Batches>(e => e.State.Slices == 2);

        await database.ExecuteAsync("INSERT INTO items VALUES (5), (995), (1005)");
        await run;

        (await database.ScalarAsync<string>("SELECT string_agg(id || ':' || n, ' ' ORDER BY id) FROM items WHERE id IN (5, 995, 1005) "
            + "OR n <> 1"))
            .ShouldBe("5:0 995:1 1005:0");
    }

    [Fact]
    public async Task A_lock_timeout_tries_the_slice_again_with_fewer_rows()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            "CREATE TABLE items (id int PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO items SELECT i, 0 FROM generate_series(1, "
                + "400) i");
        using var folder = new Folder().Write(1, "count", Count, options: " batch:items size:100");
        await using var other = await database.Database.ConnectAsync();
        await using var hold = await other.BeginTransactionAsync();
        await new Npgsql.NpgsqlCommand("SELECT FROM items WHERE id = 250 FOR UPDATE", other, hold).ExecuteNonQueryAsync();

        var run = folder.ApplyAsync(database, new MigratorOptions { LockTimeout = TimeSpan.FromMilliseconds(100) });
        await folder.WaitForAsync<MigrationEvent.Retrying>(e => e.Attempt == 2);
        await hold.RollbackAsync();
        await run;

        (await database.ScalarAsync<string>("SELECT min(n) || ' ' || max(n) FROM items")).ShouldBe("1 1");
        (await database.ScalarAsync<long>("SELECT slice_count FROM chatgenius_db.batches")).ShouldBeGreaterThan(4);
    }

    [Fact]
    public async Task Ctrl_C_ends_after_the_slice_and_the_next_run_goes_on()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            "CREATE TABLE items (id int PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO items SELECT i, 0 FROM generate_series(1, "
                + "60) i");
        using var folder = new Folder().Write(
            1, "count", "UPDATE items SET n = n + 1 + length(pg_sleep(0.02)::text) WHERE id BETWEEN :batch_first AND :batch_last;",
            options: " batch:items size:20");
        using var cancel = new CancellationTokenSource();
        var run = folder.ApplyAsync(database, token: cancel.Token);
        await folder.WaitForAsync<MigrationEvent.Batches>();
        await Task.Delay(100);

        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(run);

        (await database.ScalarAsync<long>("SELECT sum(n) FROM items")).ShouldBe(40);
        await folder.ApplyAsync(database);
        (await database.ScalarAsync<string>("SELECT min(n) || ' ' || max(n) FROM items")).ShouldBe("1 1");
    }

    [Fact]
    public async Task Another_terminal_lets_batches_pause_do_less_and_go_on()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            "CREATE TABLE items (id int PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO items SELECT i, 0 FROM generate_series(1, "
                + "1000) i");
        using var folder = new Folder().Write(1, "count", Count, options: " batch:items size:100 pause:100ms");
        var (run, other) = (folder.ApplyAsync(database), folder.Migrator(database));
        await folder.WaitForAsync<MigrationEvent.Batches>();

        var asked = await other.BatchesAsync(control => control with { Paused = true, Size = 10 });
        asked.ShouldHaveSingleItem().Control.ShouldBe("pause size:10");
        await folder.WaitForAsync<MigrationEvent.Batches>(e => e.Pause?.Contains("batch resume", StringComparison.Ordinal) == true);
        var paused = (await other.BatchesAsync()).ShouldHaveSingleItem();
        await other.BatchesAsync(control => control with { Paused = false });
        await folder.WaitForAsync<MigrationEvent.Batches>(e => e.State.Rows == paused.Rows + 10);
        (await other.StatusAsync())[0].Batches!.Rows.ShouldBeGreaterThan(paused.Rows);
        await other.BatchesAsync(_ => new BatchControl());
        await run;

        (await database.ScalarAsync<string>("SELECT min(n) || ' ' || max(n) FROM items")).ShouldBe("1 1");
        (await other.BatchesAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Batches_have_a_job_of_their_own()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("CREATE TABLE items (id int PRIMARY KEY, n int)");
        using var folder = new Folder().WriteTable(1, "a").Write(2, "count", Count, options: " batch:items")
            .Write(3, "again", Count, options: " batch:items").WriteTable(4, "b");
        var (only, none) = (Folder.Anywhere with { Batches = BatchChoice.Only }, Folder.Anywhere with { Batches = BatchChoice.None });

        var first = await folder.ApplyAsync(database, request: only);
        (first.Finished.Count, first.Plan.Remarks[0]).ShouldBe((0, "0001_create_a and what follows it is left for another run: it "
            + "does not go in batches"));
        (await folder.ApplyAsync(database, request: none)).Finished.Select(done => done.Step.Version).ShouldBe([1]);
        (await folder.ApplyAsync(database, request: none)).Finished.ShouldBeEmpty();
        (await folder.ApplyAsync(database, request: only)).Finished.Select(done => done.Step.Version).ShouldBe([2, 3]);
        (await folder.ApplyAsync(database, request: none)).Finished.Select(done => done.Step.Version).ShouldBe([4]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Dead_rows_are_cleaned_up_between_slices_unless_somebody_still_sees_them(bool seen)
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            "CREATE TABLE items (id int PRIMARY KEY, n int NOT NULL DEFAULT 0) WITH (autovacuum_enabled = false);"
            + "INSERT INTO items SELECT i, 0 FROM generate_series(1, 100000) i");
        using var folder = new Folder().Write(1, "count", Count, options: " batch:items size:5000 pause:150ms");
        await using var other = await database.Database.ConnectAsync();
        if (seen)
        {
            await new Npgsql.NpgsqlCommand("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM items", other).ExecuteScalarAsync();
        }

        await folder.ApplyAsync(database);

        (await database.ScalarAsync<bool>("SELECT pg_stat_get_vacuum_count('items'::regclass) > 0")).ShouldBe(!seen);
        var remarks = folder.Told<MigrationEvent.Remark>().Select(remark => remark.Message).ToList();
        remarks.Count(remark => remark.Contains("no VACUUM of public.items", StringComparison.Ordinal))
            .ShouldBe(seen ? 1 : 0, string.Join('\n', remarks));
    }

    [Fact]
    public void The_size_follows_the_time_that_slices_take()
    {
        static BatchSize Run(BatchSize size, int milliseconds, int times)
        {
            for (var i = 0; i < times; i++)
            {
                size.Took(TimeSpan.FromMilliseconds(milliseconds));
            }

            return size;
        }

        var target = TimeSpan.FromMilliseconds(100);
        Run(new BatchSize(null, target, null), 50, 1).Rows.ShouldBe(1100);
        Run(new BatchSize(null, target, 5000), 120, 1).Rows.ShouldBe(4000);
        Run(new BatchSize(null, target, 5000), 250, 1).Rows.ShouldBe(2500);
        Run(new BatchSize(null, target, 5000), 95, 9).Rows.ShouldBe(5000);
        Run(Run(new BatchSize(null, target, 5000), 95, 4), 150, 1).Rows.ShouldBe(4000);
        Run(new BatchSize(300, target, null), 900, 3).Rows.ShouldBe(300);
        var halved = new BatchSize(300, target, null);
        halved.Halve();
        halved.Rows.ShouldBe(150);
        Run(halved, 1, 20).Rows.ShouldBe(300);
    }

    [Fact]
    public async Task What_can_not_be_in_a_transaction_is_refused_before_anything_runs()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("CREATE TABLE items (id int PRIMARY KEY, n int)");
        using var folder = new Folder().WriteTable(1, "before").Write(2, "count", Count + "\nVACUUM items;", options: " batch:items");

        (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems[0].Code.ShouldBe("CG0323");
        (await folder.StatusAsync(database)).ShouldBe("1:Pending 2:Pending");
    }
}
