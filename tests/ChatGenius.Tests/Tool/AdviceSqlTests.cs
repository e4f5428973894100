using System.Text.RegularExpressions;
using ChatGenius.Db.Sql;
using ChatGenius.Tests.Faults;
using ChatGenius.Tests.Migrations;

namespace ChatGenius.Tests.Tool;

/// <summary>
/// SQL that a problem or a remark prints: the situation is brought about, the SQL is taken from the text and run to the letter by a
/// superuser, and the text is not printed again.
/// </summary>
[Collection("Faults")]
[Trait("Needs", "Unix")]
public sealed partial class AdviceSqlTests(FaultServer server) : IDisposable
{
    private const string Kept = "\"kept `here`\"";

    private readonly InProcess _tool = new() { Width = 400 };
    private string _database = "", _role = "";

    /// <summary>A file of the source with a text, the words that the SQL in it begins with, and what brings it about: the command that
    /// prints it.</summary>
    private sealed record Advised(string File, string Words, Func<AdviceSqlTests, Task<string>> Make);

    private static readonly List<Advised> All =
    [
        new("ConnectionProblem.cs", "GRANT CONNECT ON DATABASE", t =>
            t.WhenAsync("status", $"REVOKE CONNECT ON DATABASE {t._database} FROM PUBLIC")),
        new("ConnectionProblem.cs", "CREATE ROLE", t => t.WhenAsync("status", $"DROP ROLE {t.QuotedRole}")),
        new("Database.cs", "ALTER ROLE", t => t.WhenAsync("create")),
        new("History.cs", "GRANT SELECT ON", async t =>
        {
            await t.ApplyAsync();
            return await t.WhenAsync("log", $"GRANT SELECT ON ALL TABLES IN SCHEMA {Kept} TO PUBLIC; REVOKE ALL ON {Kept}.log FROM PUBLIC");
        }),
        new("MigrationSession.Tables.cs", "GRANT INSERT ON", async t =>
        {
            await t.ApplyAsync();
            return await t.WhenAsync("apply", GrantTables, $"REVOKE INSERT ON {Kept}.log FROM PUBLIC");
        }),
        new("MigrationSession.Tables.cs", "GRANT CREATE ON SCHEMA", t => t.WhenAsync("apply", $"CREATE SCHEMA {Kept}")),
        new("MigrationSession.Tables.cs", "GRANT CREATE ON SCHEMA", async t =>
        {
            await t.ApplyAsync();
            return await t.WhenAsync("apply", $"DROP TABLE {Kept}.log", Own(t._role));
        }),
        new("MigrationSession.Tables.cs", "GRANT older", async t =>
        {
            var applied = MigrationSource.Load(Path.Combine(t._tool.Folder, "migrations"), bundle: false)[0];
            t.WriteNext();
            return await t.WhenAsync("apply", "CREATE ROLE older", OlderHistoryTests.Of010(applied).Replace("chatgenius_db", Kept,
                StringComparison.Ordinal), Own("older"), $"ALTER SCHEMA {Kept} OWNER TO older", GrantTables);
        }),
        new("MigrationSession.Tables.cs", "CREATE SCHEMA", t => t.WhenAsync("apply")),
        new("MigrationSession.Tables.cs", "GRANT CREATE ON DATABASE", t => t.WhenAsync("apply")),
        new("BatchEyes.cs", "GRANT pg_monitor", async t =>
        {
            await t.ApplyAsync();
            t.Write("0002_a", "UPDATE c SET v = v WHERE id BETWEEN :batch_first AND :batch_last;", " batch:c");
            return await t.WhenAsync("apply", GrantTables, "CREATE TABLE c (id int PRIMARY KEY, v int); INSERT INTO c VALUES (1, 1); "
                + $"ALTER TABLE c OWNER TO {t.QuotedRole}");
        }),
        new("Migrator.cs", "SELECT pg_terminate_backend", async t =>
        {
            t.Write("0001_a", "SELECT 1;\nSELECT 1/0;", " transaction:false");
            await t.ApplyAsync(ChatGenius.Tool.ExitCode.Error);
            var other = await new Database(t.Cluster.Url(t._database)).ConnectAsync();
            _ = new NpgsqlCommand("SELECT pg_sleep(100)", other).ExecuteNonQueryAsync().ContinueWith(async _ => await other.CloseAsync(),
                TaskScheduler.Default);
            return await t.WhenAsync("repair 1 --done --yes", Own(t._role), $"GRANT pg_monitor TO {t.QuotedRole}",
                $"UPDATE {Kept}.journal SET finished_at = NULL, pid = {other.ProcessID}, backend_start = "
                + $"(SELECT backend_start FROM pg_stat_activity WHERE pid = {other.ProcessID}) WHERE statement = "
                + $"(SELECT max(statement) FROM {Kept}.journal)");
        }),
        new("Checkpoints.cs", "DROP DATABASE", async t =>
        {
            await t.SqlAsync($"ALTER ROLE {t.QuotedRole} SUPERUSER");
            (await t.RunAsync("checkpoint save one")).ShouldBe("");
            return await t.WhenAsync("checkpoint restore one --yes", $"ALTER DATABASE {t._database} IS_TEMPLATE true");
        }),
    ];

    /// <summary>Texts that name a kind of statement; what it is about only the reader knows.</summary>
    private static readonly string[] NothingToPaste =
    [
        "Copy into a table (INSERT … SELECT)", "Write two statements instead", "Write a SELECT with one row",
        "Write one SELECT an assertion", "The assertion is not one SELECT", "A statement in batches is an UPDATE",
        "Write the COMMIT that belongs", "begins with SET TRANSACTION", "An assertion is one SELECT", "VACUUM of {key.Table}",
        "DROP … CASCADE in a repeatable object", "only one INSERT, UPDATE, DELETE, MERGE or SELECT can have",
        "write CREATE OR REPLACE, or DROP …", "Write it on the line above DROP TABLE",
        "Fill it with an UPDATE above",
        // BatchEyes.cs gives the same, and that is run; this one needs a standby.
        "Let it see them: GRANT pg_monitor TO {role}",
    ];

    private const string GrantTables = $"GRANT ALL ON ALL TABLES IN SCHEMA {Kept} TO PUBLIC";

    public static TheoryData<int, string> Cases
    {
        get
        {
            var cases = new TheoryData<int, string>();
            All.Select((one, i) => (one, i)).ToList().ForEach(pair => cases.Add(pair.i, pair.one.Words));
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task The_server_takes_what_an_advice_says_and_the_situation_is_settled(int index, string words)
    {
        var advised = All[index];
        _role = $"it's \"mine\" {index}";
        _database = await server.Cluster.CreateDatabaseAsync();
        await SqlAsync($"CREATE ROLE {QuotedRole} LOGIN");
        Write("0001_a", "SELECT 1;");
        var call = await advised.Make(this);
        var first = await RunAsync(call);
        first.ShouldContain(words, customMessage: call);

        // Only a superuser marks a database as one to copy from, and that is what the message is about.
        await SqlAsync($"UPDATE pg_database SET datistemplate = false WHERE datname LIKE '{_database[..15]}%'");
        await SqlAsync(Sql().Match(first, first.IndexOf(words, StringComparison.Ordinal)).Value.Trim().TrimEnd('.'));

        WriteNext();
        (await RunAsync(call)).ShouldNotContain(words);
    }

    /// <summary>What says where the data is settles nothing, but has to run.</summary>
    [Fact]
    public async Task What_an_advice_looks_at_is_there()
    {
        var advice = Db.Connections.DiskFull.Advice;

        (await server.Cluster.ScalarAsync<string>(Sql().Match(advice, advice.IndexOf("SHOW", StringComparison.Ordinal)).Value))
            .ShouldNotBeEmpty();
    }

    [Fact]
    public void No_text_with_SQL_is_forgotten()
    {
        var generators = new[] { "Safety", "Schema" }.Select(room => $"{Path.DirectorySeparatorChar}{room}{Path.DirectorySeparatorChar}");
        var texts = Repository.Sources("src").Where(file => !generators.Any(file.Contains)).SelectMany(file => File.ReadLines(file)
            .Where(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal))
            .SelectMany(line => Literal().Matches(line).Select(match => (File: Path.GetFileName(file), Text: match.Groups[1].Value))))
            .Where(text => AnySql().IsMatch(text.Text) && English().IsMatch(text.Text)).ToList();

        texts.Count.ShouldBeGreaterThan(15);
        texts.Where(text => !All.Append(new Advised("DiskFull.cs", "SHOW", null!)).Any(one => one.File == text.File
                && text.Text.Contains(one.Words, StringComparison.Ordinal))
            && !NothingToPaste.Any(part => text.Text.Contains(part, StringComparison.Ordinal)))
            .ShouldBeEmpty("A text has SQL in it: add its situation to this class.");
    }

    public void Dispose() => _tool.Dispose();

    private Cluster Cluster => server.Cluster;

    private string QuotedRole => SqlIdentifier.Quote(_role);

    /// <summary>Gives a role all tables of the history.</summary>
    private static string Own(string role) =>
        $"DO $$ DECLARE t text; BEGIN FOR t IN SELECT relname FROM pg_class WHERE relnamespace = '{Kept}'::regnamespace AND relkind = 'r' "
        + $"LOOP EXECUTE format('ALTER TABLE {Kept}.%I OWNER TO %I', t, {SqlLiteral.Quote(role)}); END LOOP; END $$";

    private void Write(string id, string up, string options = "") =>
        _tool.Write($"migrations/{id}.sql", $"-- migrate:up{options}\n{up}\n-- migrate:down\nSELECT 1;\n");

    /// <summary>One more that is to be applied, as the last one.</summary>
    private void WriteNext()
    {
        var files = Directory.GetFiles(Path.Combine(_tool.Folder, "migrations")).Order(StringComparer.Ordinal).ToList();
        _tool.Write($"migrations/{files.Count + 1:D4}_a.sql", File.ReadAllText(files[^1]));
    }

    private Task SqlAsync(string sql) => server.Cluster.ExecuteAsync(sql, _database);

    /// <summary>Runs statements as a superuser; then a command prints the text.</summary>
    private async Task<string> WhenAsync(string call, params string[] statements)
    {
        foreach (var statement in statements)
        {
            await SqlAsync(statement);
        }

        if (await server.Cluster.ScalarAsync<bool>($"SELECT to_regnamespace('{Kept}') IS NOT NULL", _database))
        {
            await SqlAsync($"GRANT USAGE ON SCHEMA {Kept} TO PUBLIC");
        }

        return call;
    }

    /// <summary>Applies as a superuser; then something else is to be applied.</summary>
    private async Task ApplyAsync(ChatGenius.Tool.ExitCode exitCode = ChatGenius.Tool.ExitCode.Done)
    {
        var run = await _tool.RunAsync([.. Words("apply"), "-d", server.Cluster.Url(_database).Display]);
        run.ExitCode.ShouldBe(exitCode, run.Error);
        WriteNext();
    }

    private static string[] Words(string call) =>
        [.. call.Split(' '), "--no-color", .. call.StartsWith("checkpoint", StringComparison.Ordinal) || call == "create" ? (string[])[]
            : ["--no-bundle", "--history-schema", "kept `here`"]];

    /// <summary>Runs it as the role that has few rights.</summary>
    private async Task<string> RunAsync(string call)
    {
        var database = call == "create" ? $"{_database}_new" : _database;
        return (await _tool.RunAsync(
            [.. Words(call), "-d", $"postgres://{Uri.EscapeDataString(_role)}@127.0.0.1:{server.Cluster.Port}/{database}"])).Error;
    }

    /// <summary>One statement in a sentence.</summary>
    [GeneratedRegex("""(?:"(?:[^"]|"")*"|(?! (?:lets|says) )[^"\n,;])+""")]
    private static partial Regex Sql();

    [GeneratedRegex("\"((?:[^\"\\\\]|\\\\.)*)\"")]
    private static partial Regex Literal();

    [GeneratedRegex(
        @"\b(GRANT|REVOKE|ALTER|CREATE|DROP|SHOW|SELECT|SET|CALL|VACUUM|REINDEX|ANALYZE|TRUNCATE|UPDATE|DELETE|INSERT|COMMIT) [\w…{(]")]
    private static partial Regex AnySql();

    [GeneratedRegex(@"\b(the|it|that|is|can't|or|and|with|which|let|again|of|lets|run|says|without) ")]
    private static partial Regex English();
}
