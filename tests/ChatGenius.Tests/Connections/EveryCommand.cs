using ChatGenius.Tests.Faults;
using ChatGenius.Tests.Tool;
using ChatGenius.Tool;
using ChatGenius.Tool.Commands;

namespace ChatGenius.Tests.Connections;

/// <summary>Every command that works with a database, one after the other, on migrations that take every way through the tool.</summary>
internal sealed class EveryCommand : IDisposable
{
    private static readonly string[] WithoutADatabase = ["new", "verify", "import", "renumber", "server", "config", "completion", "man"];

    private readonly InProcess _tool = new() { Width = 200 };
    private readonly HashSet<string> _tried = [];
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
    public static async Task RunAsync(Cluster cluster, string role, string database, string takenOver)
    {
        using var every = new EveryCommand(cluster.Url(database, role));
        await every.RunAsync(cluster, cluster.Url("postgres", role).Display, cluster.Url(takenOver, role).Display);
        every.Failed.ShouldBeEmpty();
        CommandList.All().SelectMany(group => group.Commands).Select(command => command.Name).Except(WithoutADatabase).Except(every._tried)
            .ShouldBeEmpty("Every command is tried.");
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

    private async Task RunAsync(Cluster cluster, string shadow, string takenOver)
    {
        var database = _database.Display;
        string[][] calls =
        [
            ["create"], ["wait"], ["status"], ["plan"], ["script"], ["check", "--shadow", shadow],
            ["preflight", "--shadow", shadow],
            ["apply"], ["status", "--exit-code"], ["plan"], ["log"], ["rollback", "--dry-run", "--steps", "3"],
                ["rollback", "--yes", "--steps", "3"],
            ["check", "--shadow", shadow, "--target", database, "--data"], ["check", "--shadow", shadow, "--made-up"],
            ["apply", "--single-transaction", "--to", "6"], ["redo", "--yes"], ["apply"], ["redo", "--yes"], ["batch", "status"],
            ["unused", "watch", "messages"], ["unused", "list"], ["kept", "list"], ["kept", "prune", "--all", "--yes"],
            ["schema", "dump", "--exclude-schema", "public"], ["schema", "docs", "--exclude-schema", "public"],
            ["schema", "diff", database, "--exclude-schema", "public"], ["drift", "--shadow", shadow, "--exclude-schema", "public"],
            ["checkpoint", "save", "one", "--yes"], ["checkpoint", "list"], ["checkpoint", "restore", "one", "--yes"],
                ["checkpoint", "drop", "one", "--yes"],
            ["seed"], ["test-database", "--server", shadow, "--name", "every_command"],
            ["test-database", "drop", "--all", "--server", shadow], ["with-database", "--server", shadow, "--", "true"],
            ["baseline", "--yes", "--force", "--to", "7", "--database", takenOver], ["apply", "--dry-run", "--database", takenOver],
        ];
        foreach (var call in calls)
        {
            await RunAsync(call);
        }

        Failed.ShouldBeEmpty();
        await InterruptAsync(cluster);
        await RunAsync("repair", "9", "--forget", "--yes");
        await RunAsync("rollback", "--all", "--yes");
        await RunAsync("reset", "--yes");
        await RunAsync("drop", "--yes");
    }

    private async Task RunAsync(params string[] call)
    {
        _tried.Add(call[0]);
        string[] database = call.Contains("--database") || call.Contains("--server") ? [] : ["--database", _database.Display];
        var run = await _tool.RunAsync([.. call, .. database]);
        if (run.ExitCode is not ExitCode.Done)
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
