using ChatGenius.Tests.Faults;
using ChatGenius.Tests.Tool;
using ChatGenius.Tool;
using ChatGenius.Tool.Commands;

namespace ChatGenius.Tests.Connections;

/// <summary>Every command that works with a database, one after the other, on migrations that take every way through the tool.</summary>
internal sealed class EveryCommand : IDisposable
{
    private static readonly string[] WithoutADatabase = ["verify", "server", "config", "completion", "man"];

    // Commands that read and write files, but for these options.
    private static readonly Dictionary<string, string[]> OfFiles = new()
    {
        ["new"] = ["from-diff", "down", "shadow"], ["import"] = ["write-downs", "shadow"], ["renumber"] = ["since", "reapply"],
    };

    // They say how long, how much, in which form or whether to ask; and repair writes the same table with all of its options.
    private static readonly string[] SameStatements =
    [
        "json", "json-lines", "yes", "lock-timeout", "statement-timeout", "retries", "max-blocked", "max-blocked-time", "wait-for-lock",
        "load", "size", "max-lag", "max-lag-mb", "min-slot-mb", "max-archive-files", "max-checkpoints", "max-transaction-age", "max-time",
        "max-wal", "timeout", "output", "title", "last", "count", "rules", "html", "gitlab", "markdown", "sarif", "fail-on", "fix",
        "rename", "done", "again", "backup", "protected-reason",
    ];

    private readonly InProcess _tool = new() { Width = 200 };
    private readonly DatabaseUrl _database;

    private EveryCommand(DatabaseUrl database)
    {
        _database = database;
        Write("0006_notes", "", "CREATE TABLE public.note (id int PRIMARY KEY, body text);\nINSERT INTO public.note VALUES (1, 'a');",
            "DROP TABLE public.note;");
        _tool.Write("migrations/seed/notes.sql", "INSERT INTO public.note (id) VALUES (7) ON CONFLICT DO NOTHING;\n");
        Write("0007_index", " transaction:false", "CREATE INDEX CONCURRENTLY note_body ON public.note (body);",
            "DROP INDEX public.note_body;");
        Write("0008_column", " batch:public.note", "ALTER TABLE public.note ADD COLUMN more int;\n"
            + "UPDATE public.note SET more = 1 WHERE id BETWEEN :batch_first AND :batch_last;",
            "UPDATE public.note SET more = 2 WHERE id BETWEEN :batch_first AND :batch_last;\n"
            + "ALTER TABLE public.note DROP COLUMN more;\nDELETE FROM public.note;");
    }

    /// <summary>The calls that did not end as they should, each with what they said.</summary>
    private List<string> Failed { get; } = [];

    /// <summary>Runs all of them.</summary>
    /// <param name="cluster">The server.</param>
    /// <param name="role">Who runs them.</param>
    /// <param name="database">Its database, which is made where it is not there.</param>
    /// <param name="takenOver">Another one, for <c>baseline</c>.</param>
    /// <param name="options">Whether with every option, instead of after an interruption.</param>
    public static async Task RunAsync(Cluster cluster, string role, string database, string takenOver, bool options = false)
    {
        using var every = new EveryCommand(cluster.Url(database, role));
        await every.RunAsync(cluster, cluster.Url("postgres", role).Display, cluster.Url(takenOver, role).Display, options);
        every.Failed.ShouldBeEmpty();
    }

    /// <summary>Runs the commands against what is not as it should be.</summary>
    /// <param name="database">That.</param>
    /// <param name="shadow">A server that is as it should be.</param>
    /// <param name="together">Whether all run at the same time.</param>
    /// <returns>Each call and what it ended with.</returns>
    public static async Task<IReadOnlyList<(string Call, ExitCode ExitCode, string Error)>> ReadAsync(
        DatabaseUrl database, DatabaseUrl shadow, bool together = false)
    {
        using var every = new EveryCommand(database);
        var (url, other) = (Text(database), Text(shadow));
        string[][] calls =
        [
            ["status"], ["plan"], ["script"], ["apply", "--no-bundle"], ["rollback", "--yes"], ["redo", "--yes"], ["log"],
            ["baseline", "--to", "1", "--yes"], ["repair", "1", "--done", "--yes"],
            ["schema", "dump"], ["schema", "docs"], ["schema", "diff", other], ["drift", "--shadow", other],
            ["check", "--no-bundle", "--all", "--shadow", other, "--target", url, "--data"], ["check", "--no-bundle", "--shadow", url],
            ["checkpoint", "list"], ["checkpoint", "save", "one", "--yes"], ["create"], ["drop", "--yes"], ["reset", "--yes"],
        ];
        async Task<(string, ExitCode, string)> CallAsync(string[] call)
        {
            var run = await every._tool.RunAsync([.. call, "--database", url]);
            return (string.Join(' ', call), run.ExitCode, run.Error);
        }

        if (together)
        {
            return await Task.WhenAll(calls.Select(CallAsync));
        }

        var ends = new List<(string, ExitCode, string)>();
        foreach (var call in calls)
        {
            ends.Add(await CallAsync(call));
        }

        return ends;
    }

    private static string Text(DatabaseUrl url) => $"{url.Display}?connect_timeout=3&sslmode=disable";

    public void Dispose() => _tool.Dispose();

    /// <summary>The options that no call has and that may make a command say something else to a server.</summary>
    public static IEnumerable<string> Forgotten() =>
        from command in CommandList.All().SelectMany(all => all.Commands)
        where !WithoutADatabase.Contains(command.Name)
        from part in command.Subcommands.Select(below => (Words: (string[])[command.Name, below.Name], Command: below))
            .Concat(command.Configure is null ? [] : [(Words: [command.Name], Command: command)])
        let calls = Calls("", "", "").Concat(More("", "")).Concat([["repair", "--forget"], ["rollback", "--all"]])
            .Where(call => call.Take(part.Words.Length).SequenceEqual(part.Words)).ToList()
        from option in OptionsOf(part.Command).Prepend("")
        where OfFiles.TryGetValue(command.Name, out var few) ? few.Contains(option) : !SameStatements.Contains(option)
        where option.Length == 0 ? calls.Count == 0 : !calls.Exists(call => call.Contains($"--{option}"))
        select $"{string.Join(' ', part.Words)} --{option}";

    private static IEnumerable<string> OptionsOf(Command command)
    {
        var app = new McMaster.Extensions.CommandLineUtils.CommandLineApplication(throwOnUnexpectedArg: false);
        command.Configure!(app);
        return app.Options.Select(option => option.LongName).OfType<string>();
    }

    private static string[][] Calls(string database, string shadow, string takenOver) =>
    [
        ["create"], ["wait"], ["status"], ["plan"], ["script"], ["check", "--shadow", shadow],
        ["preflight", "--shadow", shadow],
        ["apply"], ["status", "--exit-code"], ["plan"], ["log"], ["rollback", "--dry-run", "--steps", "3"],
            ["rollback", "--yes", "--steps", "3"],
        ["check", "--shadow", shadow, "--target", database, "--data"], ["check", "--shadow", shadow, "--made-up"],
        ["apply", "--single-transaction", "--to", "6"], ["redo", "--yes"], ["apply"], ["redo", "--yes"], ["batch", "status"],
        ["unused", "watch", "messages"], ["unused", "list"], ["kept", "list"],
            ["kept", "prune", "--all", "--yes"],
        ["schema", "dump", "--exclude-schema", "public"], ["schema", "docs", "--exclude-schema", "public"],
        ["schema", "diff", database, "--exclude-schema", "public"], ["drift", "--shadow", shadow, "--exclude-schema", "public"],
        ["checkpoint", "save", "one", "--yes"], ["checkpoint", "list"], ["checkpoint", "restore", "one", "--yes"],
            ["checkpoint", "drop", "one", "--yes"],
        ["seed"], ["test-database", "--server", shadow, "--name", "every_command"],
        ["test-database", "drop", "--all", "--server", shadow], ["with-database", "--server", shadow, "--", "true"],
        ["baseline", "--yes", "--force", "--to", "7", "--database", takenOver], ["apply", "--dry-run", "--database", takenOver],
    ];

    /// <summary>Every option, after the calls of above.</summary>
    private static string[][] More(string database, string shadow) =>
    [
        ["rollback", "--yes", "--to", "7", "--trust-stored-down", "--no-estimate"], ["status"],
        ["plan", "--allow-missing", "--allow-out-of-order", "--fresh", "--steps", "1"], ["plan", "--only-batches", "--to", "8"],
            ["plan", "--no-batches"],
        ["script", "--allow-missing", "--allow-out-of-order", "--fresh", "--to", "8"], ["script", "--rollback", "--steps", "1"],
            ["script", "--offline", "--from", "6"], ["script", "--only-batches"], ["script", "--no-batches"],
        ["preflight", "--shadow", shadow, "--allow-missing", "--allow-out-of-order", "--fresh", "--to", "8"],
            ["preflight", "--shadow", shadow, "--only-batches", "--steps", "1"], ["preflight", "--shadow", shadow, "--no-batches"],
        ["check", "--certify", "--shadow", shadow], ["check", "--with", "HEAD", "--shadow", shadow],
            ["check", "--since", "HEAD", "--shadow", shadow], ["check", "--staged", "--shadow", shadow],
            ["check", "--all", "--shadow", shadow, "--target", database, "--save-sizes", "sizes.json"],
            ["check", "--shadow", shadow, "--sizes", "sizes.json"],
        ["apply", "--certified", "--allow-missing", "--allow-out-of-order", "--fresh", "--create", "--only-batches"],
            ["redo", "--yes", "--separately", "--steps", "2", "--trust-stored-down", "--no-estimate"],
            ["apply", "--no-batches", "--steps", "1"],
        ["drift", "--shadow", shadow, "--sql", "--strict", "--owners", "--extension-versions", "--exclude", "none", "--no-concurrently",
            "--exclude-schema", "public"],
            ["drift", "--shadow", shadow, "--offline", "--single-transaction", "--adopt", "adopted", "--exclude-schema", "public"],
        ["schema", "dump", "--format", "sql", "--strict", "--owners", "--extension-versions", "--exclude-schema", "public"],
            ["schema", "docs", "--format", "markdown", "--owners", "--extension-versions", "--exclude-schema", "public"],
            ["schema", "diff", "migrations", database, "--sql", "--owners", "--extension-versions", "--shadow", shadow, "--exclude",
                "none", "--no-concurrently", "--single-transaction", "--exclude-schema", "public"],
            ["schema", "diff", "git:HEAD", "--sql", "--offline", "--shadow", shadow, "--exclude-schema", "public"],
        ["unused", "watch", "messages", "--again"],
        ["kept", "prune", "--migration", "6", "--table", "public.note", "--where", "true", "--older-than", "1d", "--yes"],
        ["batch", "pause"], ["batch", "resume"], ["batch", "limit", "--load", "50"], ["repair", "6", "--accept", "--yes"],
        ["baseline", "--undo", "--dry-run"], ["baseline", "--detect", "--dry-run", "--shadow", shadow],
            ["baseline", "--from", "goose", "--dry-run"],
        ["seed", "--protected-reason", "trying"],
        ["test-database", "--server", shadow, "--name", "every_option", "--to", "6", "--empty-tables"],
            ["test-database", "list", "--server", shadow], ["test-database", "drop", "--all", "--server", shadow],
            ["with-database", "--server", shadow, "--to", "6", "--empty-tables", "--", "true"],
        ["new", "thing", "--from-diff", "--stdout", "--shadow", shadow, "--exclude-schema", "public"],
            ["new", "--down", "down/0006_lacks.sql", "-m", "down", "--shadow", shadow],
            ["import", "goose", "others", "-m", "imported", "--write-downs", "--shadow", shadow],
            ["renumber", "--since", "HEAD", "--reapply", "--dry-run"],
        ["reset", "--yes", "--force", "--no-estimate"], ["drop", "--yes", "--force"],
    ];

    /// <summary>What some of the options need.</summary>
    private async Task PrepareAsync(Cluster cluster)
    {
        _tool.Write("others/00001_one.sql", "-- +goose Up\nCREATE TABLE public.one (id int);\n");
        _tool.Write("down/0006_lacks.sql", "-- migrate:up\nCREATE TABLE public.lacks (id int);\n");
        foreach (var arguments in (string[][])[["init", "--quiet"], ["add", "."],
            ["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "all"]])
        {
            await using var git = ToolProcess.StartProcess("git", arguments, _tool.Folder, null, null);
            (await git.ExitAsync()).ExitCode.ShouldBe(0);
        }

        await cluster.ExecuteAsync(
            "CREATE TABLE public.goose_db_version (id int, version_id bigint NOT NULL, is_applied boolean NOT NULL, tstamp timestamp); "
            + "INSERT INTO public.goose_db_version VALUES (1, 6, true), (2, 7, true), (3, 8, true)", _database.DatabaseName);
    }

    private async Task RunAsync(Cluster cluster, string shadow, string takenOver, bool options)
    {
        var database = _database.Display;
        var calls = Calls(database, shadow, takenOver);
        foreach (var call in calls)
        {
            await RunAsync(call);
        }

        Failed.ShouldBeEmpty();
        await InterruptAsync(cluster);
        await RunAsync("repair", "9", "--forget", "--yes");
        await RunAsync("rollback", "--all", "--yes");
        await RunAsync("reset", "--yes");
        if (options)
        {
            await PrepareAsync(cluster);
            foreach (var call in More(database, shadow))
            {
                if (call.Contains("--accept"))
                {
                    Write("0006_notes", "", "CREATE TABLE public.note (id int PRIMARY KEY, body text);\n"
                        + "INSERT INTO public.note VALUES (2, 'b');", "DROP TABLE public.note;");
                }

                await RunAsync(call);
            }

            return;
        }

        await RunAsync("drop", "--yes");
    }

    private async Task RunAsync(params string[] call)
    {
        string[] database = call.Contains("--database") || call.Contains("--server") || call is ["script", "--offline", ..] ? []
            : ["--database", _database.Display];
        string[] differs = ["check", "drift", "schema", "preflight", "baseline"];
        var run = await _tool.RunAsync([.. call, .. database]);
        if (run.ExitCode is not ExitCode.Done && (run.ExitCode is not ExitCode.Differs || !differs.Contains(call[0])))
        {
            Failed.Add($"{string.Join(' ', call)}: {run.ExitCode}\n{run.Error}");
        }
    }

    /// <summary>A statement outside of a transaction whose session ends while it runs: nobody knows what it has done.</summary>
    private async Task InterruptAsync(Cluster cluster)
    {
        Write("0009_slow", " transaction:false", "CREATE INDEX CONCURRENTLY slow ON public.note (id);", "DROP INDEX public.slow;");
        await using var user = await new Database(cluster.Url(_database.DatabaseName)).ConnectAsync();
        await using var transaction = await user.BeginTransactionAsync();
        await using var write = new NpgsqlCommand("INSERT INTO public.note (id) VALUES (99)", user, transaction);
        await write.ExecuteNonQueryAsync();
        var running = _tool.RunAsync("apply", "--database", _database.Display);
        const string End =
            "SELECT pg_catalog.count(pg_catalog.pg_terminate_backend(pid)) FROM pg_catalog.pg_stat_activity "
            + "WHERE state OPERATOR(pg_catalog.=) 'active'::text AND pg_catalog.starts_with(query, 'CREATE INDEX CONCURRENTLY slow'::text)";
        while (await cluster.ScalarAsync<long>(End, "template1") == 0 && !running.IsCompleted)
        {
            await Task.Delay(100);
        }

        (await running).ExitCode.ShouldBe(ExitCode.Error);
        await transaction.RollbackAsync();
    }

    private void Write(string name, string options, string up, string down) =>
        _tool.Write($"migrations/{name}.sql", $"-- migrate:up{options}\n{up}\n-- migrate:down{options}\n{down}\n");
}
