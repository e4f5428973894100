using ChatGenius.Tests.Replay;

namespace ChatGenius.Tests.Tool;

/// <summary>Migrations that are written from a difference of schemas: they run up and down, and an open question stops them.</summary>
public sealed class FromDiffTests(ReplayServer server) : IClassFixture<ReplayServer>, IDisposable
{
    private readonly Sandbox _sandbox = Project();
    private readonly Dictionary<string, string?> _environment = new()
    {
        ["CHATGENIUS_DATA_DIR"] = server.DataFolder, ["CHATGENIUS_BUNDLE"] = "false",
    };

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public async Task What_a_database_has_beyond_the_migrations_becomes_files_that_make_it_and_undo_it()
    {
        await using var made = await TestDatabase.CreateAsync();
        await made.ExecuteAsync(
            """
            CREATE TABLE a (id int PRIMARY KEY, n int CHECK (n > 0));
            CREATE TYPE mood AS ENUM ('good', 'bad');
            CREATE TABLE b (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int REFERENCES a, mood mood);
            CREATE INDEX a_n ON a (n);
            CREATE VIEW v AS SELECT n FROM a;
            CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM b';
            """);

        var run = await RunAsync("new", "add_more", "--from-diff", made.Url.Display);

        var files = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        files.Select(Path.GetFileName).First().ShouldBe("0002_add_more.sql");
        files.Length.ShouldBeGreaterThan(1);
        _sandbox.Read(files[0]).ShouldNotContain("cgdb:todo");
        await using var target = await TestDatabase.CreateAsync();
        await RunAsync("apply", "-d", target.Url.Display);
        await SameAsync(made.Url.Display, target.Url.Display);
        await SameAsync("migrations", made.Url.Display);
        (await RunAsync("new", "once_more", "--from-diff", made.Url.Display)).Output.ShouldStartWith("The migrations make that schema");
        await RunAsync("rollback", "--to", "1", "--yes", "-d", target.Url.Display);
        await SameAsync("migrations:1", target.Url.Display);
    }

    [Fact]
    public async Task What_only_a_human_can_decide_is_a_question_that_no_command_passes_over()
    {
        _sandbox.Write("wanted.txt", (await RunAsync("schema", "dump", "-d", await MadeAsync("CREATE TABLE other (id int);"))).Output);

        var run = await RunAsync("new", "change", "--from-diff", "wanted.txt");

        var file = run.Output.Split('\n')[0];
        _sandbox.Read(file).ShouldContain("-- cgdb:todo are the rows of public.a needed no more?");
        run.Error.ShouldContain("1 question in it");
        await using var target = await TestDatabase.CreateAsync();
        foreach (var command in (string[][])[["verify"], ["apply", "-d", target.Url.Display], ["check", "-d", target.Url.Display]])
        {
            var refused = await TheTool.RunAsync(command, _sandbox.Path, _environment);
            refused.ExitCode.ShouldBe(2, string.Join(' ', command));
            refused.Error.ShouldContain("error CG1408: ");
        }

        _sandbox.Write(file, string.Join('\n', _sandbox.Read(file).Split('\n')
            .Where(line => !line.Contains("cgdb:todo", StringComparison.Ordinal))
            .Select(line => line.Replace("-- DROP TABLE", "DROP TABLE", StringComparison.Ordinal))));
        await RunAsync("apply", "-d", target.Url.Display);
        await SameAsync("wanted.txt", target.Url.Display);
    }

    [Fact]
    public async Task A_drift_is_adopted_and_taken_over_where_it_came_from()
    {
        await using var database = await TestDatabase.CreateAsync();
        await RunAsync("apply", "-d", database.Url.Display);
        await database.ExecuteAsync(
            """
            ALTER TABLE a ADD COLUMN byhand text; CREATE INDEX a_byhand ON a (byhand);
            GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text) TO pg_monitor;
            """);

        // What a platform gives is in no migration, and is not taken from it.
        const string OfPlatform = "pg_ls_dir";
        var back = await TheTool.RunAsync(["drift", "--sql", "-d", database.Url.Display], _sandbox.Path, _environment);
        back.Output.ShouldNotContain(OfPlatform);
        var strict = await TheTool.RunAsync(["drift", "--sql", "--strict", "-d", database.Url.Display], _sandbox.Path, _environment);
        strict.Output.ShouldContain(OfPlatform);
        var run = await RunAsync("drift", "--adopt", "adopt_byhand", "-d", database.Url.Display);
        (await TheTool.RunAsync(["drift", "--adopt", "twice", "-d", database.Url.Display], _sandbox.Path, _environment)).Error
            .ShouldContain("error CG1114: ");

        var last = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        _sandbox.Read(last).ShouldNotContain(OfPlatform);
        await RunAsync("baseline", "--to", Path.GetFileName(last)[..4], "--yes", "-d", database.Url.Display);
        await RunAsync("drift", "-d", database.Url.Display);
        (await RunAsync("apply", "-d", database.Url.Display)).Output.ShouldStartWith("Nothing to do");
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n-- migrate:down\n-- still to be written\n")]
    public async Task A_down_section_is_written_and_says_what_does_not_come_back(string down)
    {
        _sandbox.Write("migrations/0002_b.sql",
            "-- migrate:up\nALTER TABLE a DROP COLUMN n, ADD COLUMN m text;\nCREATE TABLE b (id int);\n" + down);

        // What comes after it is not read, whatever is wrong with it.
        _sandbox.Write("migrations/0003_c.sql", "-- migrate:up\nSELECT 1;\n");
        await RunAsync("new", "--down", "0002_b.sql");
        File.Delete(Path.Combine(_sandbox.Path, "migrations", "0003_c.sql"));

        var text = _sandbox.Read("migrations/0002_b.sql");
        text.ShouldContain("-- Does not come back: the values of public.a.n\n");
        text.ShouldContain("DROP TABLE public.b;\n");
        await using var database = await TestDatabase.CreateAsync();
        await RunAsync("apply", "-d", database.Url.Display);
        await RunAsync("rollback", "--yes", "-d", database.Url.Display);
        (await database.ScalarAsync<string>(
            "SELECT string_agg(column_name, ' ' ORDER BY column_name) FROM information_schema.columns WHERE table_name = 'a'"))
            .ShouldBe("id n");
        (await TheTool.RunAsync(["new", "--down", "0002_b.sql"], _sandbox.Path, _environment)).Error.ShouldContain("error CG1407: ");
    }

    [Fact]
    public async Task A_file_of_a_revision_is_read_as_it_is()
    {
        // É in Latin-1: read as text, it would have become a question mark that UTF-8 knows.
        await File.WriteAllBytesAsync(Path.Combine(_sandbox.Path, "migrations", "0002_b.sql"),
            [.. "-- migrate:up\nSELECT '"u8, 0xC9, .. "';\n-- migrate:down\nSELECT 1;\n"u8]);
        await CommitAsync();

        (await TheTool.RunAsync(["schema", "diff", "git:HEAD", "git:HEAD"], _sandbox.Path, _environment)).Error
            .ShouldContain("error CG0101: ");
    }

    [Fact]
    public async Task The_migrations_of_a_revision_are_compared()
    {
        await CommitAsync();
        _sandbox.Write("migrations/0002_b.sql", "-- migrate:up\nCREATE TABLE b (id int);\n-- migrate:down\nDROP TABLE b;\n");

        var diff = await TheTool.RunAsync(["schema", "diff", "git:HEAD", "migrations"], _sandbox.Path, _environment);

        diff.ExitCode.ShouldBe(1, diff.Error);
        diff.Output.ShouldContain("+ table public.b");
        (await TheTool.RunAsync(["schema", "diff", "git:nowhere", "migrations"], _sandbox.Path, _environment)).Error
            .ShouldContain("error CG1212: ");
        (await TheTool.RunAsync(["schema", "diff", "migrations:9", "migrations"], _sandbox.Path, _environment)).Error
            .ShouldContain("error CG0406: ");
    }

    private async Task CommitAsync()
    {
        foreach (var arguments in (string[][])[["init", "-q"], ["add", "."],
            ["-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "x"]])
        {
            await using var git = ToolProcess.StartProcess("git", arguments, _sandbox.Path, null, null);
            (await git.ExitAsync()).ExitCode.ShouldBe(0);
        }
    }

    private static Sandbox Project()
    {
        var sandbox = new Sandbox();
        sandbox.Write("migrations/0001_a.sql",
            "-- migrate:up\nCREATE TABLE a (id int PRIMARY KEY, n int);\n-- migrate:down\nDROP TABLE a;\n");
        return sandbox;
    }

    private async Task<string> MadeAsync(string sql)
    {
        var database = await TestDatabase.CopyOfAsync(sql, async one => await one.ExecuteAsync(sql));
        return database.Url.Display;
    }

    private async Task<ToolResult> RunAsync(params string[] arguments)
    {
        var run = await TheTool.RunAsync(arguments, _sandbox.Path, _environment);
        run.ExitCode.ShouldBe(0, $"{string.Join(' ', arguments)}\n{run.Output}\n{run.Error}");
        return run;
    }

    private async Task SameAsync(string one, string other)
    {
        var diff = await TheTool.RunAsync(["schema", "diff", one, other], _sandbox.Path, _environment);
        diff.ExitCode.ShouldBe(0, diff.Output + diff.Error);
    }
}
