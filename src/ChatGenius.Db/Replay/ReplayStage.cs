using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Migrations;

namespace ChatGenius.Db.Replay;

/// <summary>Work on a database that comes after its migrations.</summary>
/// <param name="Key">All that its result depends on, besides what was there before.</param>
/// <param name="RunAsync">The work.</param>
internal sealed record ReplayStage(string Key, Func<Replayer, ThrowAwayDatabase, CancellationToken, Task> RunAsync)
{
    /// <summary>What an extension keeps in its tables belongs to the extension.</summary>
    private const string TablesToEmpty =
        """
        SELECT pg_catalog.string_agg(c.oid::pg_catalog.regclass::text, ', ') FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND n.nspname <> $1 AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
            WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')
        """;

    private const string FilledViews =
        """
        SELECT 'REFRESH MATERIALIZED VIEW ' || c.oid::pg_catalog.regclass::text FROM pg_catalog.pg_class c
        WHERE c.relkind = 'm' AND c.relispopulated ORDER BY c.oid
        """;

    /// <summary>Says in the history that the migrations are applied: an application that applies them finds nothing to do.</summary>
    internal static ReplayStage History(IReadOnlyList<Migration> migrations, MigratorOptions options)
    {
        var text = new StringBuilder($"history|{options.HistorySchema}|{options.ToolVersion}");
        foreach (var migration in migrations)
        {
            text.Append(CultureInfo.InvariantCulture, $"|{migration.Version}_{migration.Name}|{migration.Origin}|{migration.StoredDown}");
        }

        return new(Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString()))), (_, database, cancellationToken) =>
            WriteAsync(database.Database, migrations, options, cancellationToken));
    }

    /// <summary>Runs a file of rows, in a transaction.</summary>
    internal static ReplayStage Seed(Seed seed) => new($"seed|{seed.Section.Checksum}", (replayer, database, cancellationToken) =>
        replayer.RunAsync(
            database,
            async session =>
            {
                if (await session.RunAsync(seed.Section, cancellationToken) is { } error)
                {
                    throw Migrator.SeedFailed(seed, error, statement: null);
                }
            },
            cancellationToken));

    /// <summary>Empties all tables but the history's.</summary>
    internal static ReplayStage Empty(string historySchema) => new("empty", async (_, database, cancellationToken) =>
    {
        await using var session = await Session.OpenAsync(database.Database, "emptying the tables of a test database", cancellationToken);
        if (await session.ScalarAsync<string>(new SqlQuery(TablesToEmpty, historySchema), cancellationToken) is not { } tables)
        {
            return;
        }

        var views = await session.RowsAsync(FilledViews, row => row.GetString(0), cancellationToken);
        await session.WriteAsync(
            [
                // A trigger may forbid it, or write rows. Only a superuser can do without them.
                """
                SELECT CASE WHEN pg_catalog.current_setting('is_superuser') = 'on'
                    THEN pg_catalog.set_config('session_replication_role', 'replica', true) END
                """,
                $"TRUNCATE {tables} RESTART IDENTITY",
                .. views.Select(view => (SqlQuery)view),
            ],
            cancellationToken);
    });

    private static async Task WriteAsync(
        Database database, IReadOnlyList<Migration> migrations, MigratorOptions options, CancellationToken cancellationToken)
    {
        var history = new History(options.HistorySchema);
        var plan = MigrationPlan.Apply(
            [.. migrations.Where(migration => !migration.IsRepeatable)], HistorySnapshot.Empty, new PlanRequest(),
            [.. migrations.Where(migration => migration.IsRepeatable)]);
        await using var session = await Session.OpenAsync(database, "writing the history of a test database", cancellationToken);
        await session.WriteAsync(
            [
                HistoryTables.CreateSchema(history.Schema),
                .. HistoryTables.CreateStatements(history.Schema, place: null).Select(text => (SqlQuery)text),
                .. plan.Steps.Select(step => (SqlQuery)(step.IsRepeatable ? history.RepeatableText(step, options)
                    : history.AppliedText(step, "pg_catalog.clock_timestamp()", options))),
            ],
            cancellationToken);
    }
}

/// <summary>A database of which others are copied, and the session that copies them.</summary>
internal sealed class ReplaySource : IAsyncDisposable
{
    private readonly ReplayTemplates? _templates;
    private readonly ThrowAwayDatabase? _own;
    private readonly ReplayTemplate _template;

    /// <summary>A template that stays.</summary>
    internal ReplaySource(ReplayTemplates templates, ReplayTemplate template) =>
        (_templates, _template, Session, Server) = (templates, template, templates.Session, templates.Server);

    /// <summary>A database that goes with this.</summary>
    internal ReplaySource(ThrowAwayDatabase own) =>
        (_own, _template, Session, Server) = (own, new(own.Database.Url.DatabaseName, own.Missing), own.Keeper, own.Database.Url);

    /// <summary>In another database of the server.</summary>
    internal Session Session { get; }

    internal DatabaseUrl Server { get; }

    /// <summary>What it has not got because its server lacks something: why.</summary>
    internal IReadOnlyList<string> Missing => _template.Missing;

    /// <summary>The second that it was, by the clock of a server of our own; null on another.</summary>
    internal long? Now => _templates?.Now;

    /// <summary>Copies it.</summary>
    /// <returns>Whether it was still there.</returns>
    internal async Task<bool> TryCopyAsync(string name, string? comment, CancellationToken cancellationToken)
    {
        if (_templates is not null)
        {
            return await _templates.TryCopyAsync(_template, name, comment, cancellationToken);
        }

        await new Server.DatabaseCopy(Session).MakeAsync(
            _template.Name, name, comment, isOpen: true, endSessions: false, cancellationToken);
        await ThrowAwayDatabase.LetInAsync(Session, name, cancellationToken);
        return true;
    }

    public ValueTask DisposeAsync() => _own?.DisposeAsync() ?? _templates!.LeaveAsync();
}
