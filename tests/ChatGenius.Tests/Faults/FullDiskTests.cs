namespace ChatGenius.Tests.Faults;

/// <summary>Disks that are really full: the server's, its log's, and the client's.</summary>
[Collection("Faults")]
[Trait("Needs", "Unix")]
public class FullDiskTests(FaultServer server, ITestOutputHelper output)
{
    // Two megabytes are free when a migration begins that needs seven.
    private const long Rest = 2 * 1024 * 1024;
    private const string Fill = "INSERT INTO big SELECT i, repeat(md5(i::text), 250) FROM generate_series(1, 900) i;";

    [NeedsTheory(Need.SmallDisk)]
    [InlineData("", Fill)]
    [InlineData("", "CREATE INDEX big_id ON big (id);\nCOPY big FROM stdin;\nROWS\\.\n")]
    [InlineData(" transaction:false", "INSERT INTO big VALUES (0, 'once');\n" + Fill + "\nINSERT INTO big VALUES (0, 'once more');")]
    [InlineData(" transaction:false", "INSERT INTO big VALUES (0, 'once');\nCOPY big FROM stdin;\nROWS\\.\n")]
    [InlineData(" transaction:false",
        "INSERT INTO many SELECT i, repeat('x', 40) || i FROM generate_series(1, 12000) i;\nCREATE INDEX CONCURRENTLY many_body ON many "
        + "(body, id, (body || id), (id || body));\nVACUUM many;")]
    public async Task A_full_disk_fails_the_statement_and_with_room_again_the_next_apply_ends_well(string options, string sql)
    {
        using var disk = SmallDisk.Mount(32);
        await using var cluster = await Cluster.CreateAsync();
        await cluster.CreateTablespaceAsync("small", disk.Path);
        var database = await cluster.CreateDatabaseAsync("small");
        using var sandbox = Migrations(options, sql);
        string[] arguments = ["apply", "--no-bundle", "--migrations", sandbox.Path, "--database", cluster.Url(database).Display];
        (await TheTool.RunAsync([.. arguments, "--to", "1"])).ExitCode.ShouldBe(0);

        disk.Fill(leave: Rest);
        var refused = await TheTool.RunAsync(arguments);

        output.WriteLine(refused.Error);
        refused.ExitCode.ShouldBe(2);
        refused.Error.ShouldContain("CG0502");
        refused.Error.ShouldContain("SQLSTATE 53100");
        refused.Error.ShouldContain("Make room on the server's disk");
        disk.Free();
        await ShouldEndAsUndisturbedAsync(database, arguments, cluster, sandbox);
    }

    [NeedsTheory(Need.SmallDisk)]
    [InlineData("", Fill)]
    [InlineData(" transaction:false", "INSERT INTO big VALUES (0, 'once');\n" + Fill + "\nINSERT INTO big VALUES (0, 'once more');")]
    public async Task A_write_ahead_log_without_room_stops_the_server_and_with_room_again_the_next_apply_ends_well(string options,
        string sql)
    {
        using var disk = SmallDisk.Mount(32);
        await using var cluster = await Cluster.CreateAsync("min_wal_size = 2MB", walDisk: disk.Path);
        var database = await cluster.CreateDatabaseAsync();
        using var sandbox = Migrations(options, sql);
        string[] arguments = ["apply", "--no-bundle", "--migrations", sandbox.Path, "--database", cluster.Url(database).Display];
        (await TheTool.RunAsync([.. arguments, "--to", "1"])).ExitCode.ShouldBe(0);

        disk.Fill();
        var refused = await TheTool.RunAsync(arguments);

        output.WriteLine(refused.Error);
        refused.ExitCode.ShouldBe(2);
        refused.Error.ShouldMatch("CG050[34]");
        disk.Free();
        await cluster.ReviveAsync();
        await ShouldEndAsUndisturbedAsync(database, arguments, cluster, sandbox);
    }

    [NeedsFact(Need.SmallDisk)]
    public async Task The_servers_disk_fills_up_at_any_moment()
    {
        using var disk = SmallDisk.Mount(128);
        await using var cluster = await Cluster.CreateAsync("min_wal_size = 2MB\nmax_wal_size = 8MB", disk.Path);
        var random = new Random(Chance.Seed);
        output.WriteLine($"CHATGENIUS_TEST_SEED={Chance.Seed}, {FaultServer.Trials} trials");
        for (var trial = 0; trial < FaultServer.Trials; trial++)
        {
            var database = await cluster.CreateDatabaseAsync();
            var run = Task.Run(() => server.Migrator(cluster.Url(database)).ApplyAsync(new PlanRequest()));
            await Task.Delay(server.Undisturbed * random.NextDouble());
            disk.Fill();

            output.WriteLine($"{trial}: {await EndAsync(run)}");

            disk.Free();
            await cluster.ReviveAsync();
            await server.Migrator(cluster.Url(database)).ApplyAsync(new PlanRequest());
            (await cluster.ScalarAsync<string>(MixedMigrations.Fingerprint, database)).ShouldBe(server.Expected);
            await cluster.DropDatabaseAsync(database);
        }
    }

    [NeedsTheory(Need.SmallDisk)]
    [InlineData("CG0813", "new", "add_notes", "body:text", "--migrations", "DISK")]
    [InlineData("CG0812", "new", "--eject", "create_table", "--migrations", "DISK")]
    [InlineData("CG1105", "script", "--offline", "-o", "DISK/old.txt")]
    [InlineData("CG1105", "schema", "dump", "-o", "DISK/old.txt")]
    [InlineData("CG1303", "apply", "--fresh", "--backup=DISK")]
    public async Task A_full_disk_of_the_client_leaves_no_half_file(string code, params string[] arguments)
    {
        using var disk = SmallDisk.Mount(4);
        var database = await server.Cluster.CreateDatabaseAsync();
        await server.Cluster.ExecuteAsync("CREATE TABLE a AS SELECT i, md5(i::text) FROM generate_series(1, 1000) i", database);
        await File.WriteAllTextAsync(Path.Combine(disk.Path, "old.txt"), "what was there\n");
        Directory.CreateDirectory(Path.Combine(disk.Path, "templates"));
        disk.Fill();
        using var sandbox = new Sandbox();

        var refused = await TheTool.RunAsync(
            [.. arguments.Select(argument => argument.Replace("DISK", disk.Path, StringComparison.Ordinal)), "--database",
                server.Cluster.Url(database).Display], sandbox.Path);

        refused.ExitCode.ShouldBe(2, refused.Error);
        refused.Error.ShouldContain(code);
        refused.Error.ShouldContain("No space left");
        Directory.GetFiles(disk.Path, "*", SearchOption.AllDirectories).Select(Path.GetFileName).Order().ShouldBe(["ballast", "old.txt"]);
        (await File.ReadAllTextAsync(Path.Combine(disk.Path, "old.txt"))).ShouldBe("what was there\n");
        (await server.Cluster.ScalarAsync<bool>("SELECT to_regclass('users') IS NULL", database))
            .ShouldBeTrue("Without its backup nothing is applied.");
        await server.Cluster.DropDatabaseAsync(database);
    }

    [NeedsFact(Need.SmallDisk)]
    public async Task A_checkpoint_that_finds_no_room_costs_nothing()
    {
        using var disk = SmallDisk.Mount(32);
        await using var cluster = await Cluster.CreateAsync();
        await cluster.CreateTablespaceAsync("small", disk.Path);
        var database = await cluster.CreateDatabaseAsync("small");
        await cluster.ExecuteAsync("CREATE TABLE a AS SELECT 1 AS i", database);
        string[] target = ["--database", cluster.Url(database).Display, "--yes"];
        disk.Fill();

        var refused = await TheTool.RunAsync(["checkpoint", "save", "one", .. target]);
        disk.Free();
        var saved = await TheTool.RunAsync(["checkpoint", "save", "one", .. target]);
        await cluster.ExecuteAsync("INSERT INTO a VALUES (2)", database);
        disk.Fill();
        var unrestored = await TheTool.RunAsync(["checkpoint", "restore", "one", .. target]);
        disk.Free();
        var kept = await cluster.ScalarAsync<long>("SELECT sum(i) FROM a", database);
        var restored = await TheTool.RunAsync(["checkpoint", "restore", "one", .. target]);

        refused.ExitCode.ShouldBe(2);
        refused.Error.ShouldContain("CG1314");
        refused.Error.ShouldContain("Make room on the server's disk");
        saved.ExitCode.ShouldBe(0, saved.Error);
        unrestored.Error.ShouldContain("Make room on the server's disk");
        kept.ShouldBe(3);
        restored.ExitCode.ShouldBe(0, restored.Error);
        (await cluster.ScalarAsync<long>("SELECT sum(i) FROM a", database)).ShouldBe(1);
    }

    private static Sandbox Migrations(string options, string sql)
    {
        var sandbox = new Sandbox();
        var rows = string.Concat(Enumerable.Range(1, 900).Select(i => $"{i}\t{string.Concat(Enumerable.Repeat($"{i:D8}", 1000))}\n"));
        sandbox.Write("0001_begin.sql",
            "-- migrate:up\nCREATE TABLE big (id int, body text);\nALTER TABLE big ALTER body SET STORAGE EXTERNAL;\nCREATE TABLE many "
                + "(id int, body text);\n-- migrate:down\nDROP TABLE big, many;\n");
        sandbox.Write("0002_fill.sql",
            $"-- migrate:up{options}\n{sql.Replace("ROWS", rows, StringComparison.Ordinal)}\n-- migrate:down\nTRUNCATE big, many;\n");
        sandbox.Write("0003_end.sql", "-- migrate:up\nINSERT INTO many VALUES (1, 'end');\n-- migrate:down\nDELETE FROM many;\n");
        return sandbox;
    }

    /// <summary>A new run ends well, and leaves what one that had room all the time would have.</summary>
    private async Task ShouldEndAsUndisturbedAsync(string database, string[] arguments, Cluster cluster, Sandbox sandbox)
    {
        const string Digest = $"SELECT encode(sha256(convert_to(({MixedMigrations.Fingerprint}), 'UTF8')), 'hex')";
        var next = await TheTool.RunAsync(arguments);
        next.ExitCode.ShouldBe(0, next.Error);
        var undisturbed = await server.Cluster.CreateDatabaseAsync();
        (await TheTool.RunAsync(["apply", "--no-bundle", "--migrations", sandbox.Path, "--database",
            server.Cluster.Url(undisturbed).Display])).ExitCode.ShouldBe(0);
        (await cluster.ScalarAsync<string>(Digest, database)).ShouldBe(await server.Cluster.ScalarAsync<string>(Digest, undisturbed));
        await server.Cluster.DropDatabaseAsync(undisturbed);
    }

    /// <summary>Whatever ends a run on a full disk is a problem, and one that the disk explains.</summary>
    private static async Task<string> EndAsync(Task<RunResult> run)
    {
        try
        {
            return $"done, {(await run.WaitAsync(TimeSpan.FromMinutes(2))).Finished.Count} migrations";
        }
        catch (ProblemException e)
        {
            var problem = e.Problems[0];
            (problem.Code is "CG0503" or "CG0504" or "CG0514" or "CG0516" || problem.Code.StartsWith("CG06", StringComparison.Ordinal)
                || problem.Message.Contains("53100", StringComparison.Ordinal)).ShouldBeTrue($"{problem.Code} {problem.Message}");
            return $"{problem.Code} {problem.Message}";
        }
    }
}
