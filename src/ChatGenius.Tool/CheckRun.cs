using ChatGenius.Db;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Replay;
using ChatGenius.Db.Safety;
using ChatGenius.Db.Schema;
using ChatGenius.Tool.Output;
using Npgsql;
namespace ChatGenius.Tool;

/// <summary>A migration that has been checked.</summary>
internal sealed record CheckResult(
    CheckedMigration Migration, Trace Trace, RoundTrip? RoundTrip, IReadOnlyList<Finding> Findings, IReadOnlyList<StatementLocks> Locks);

/// <summary>Which rows the tables of the throw-away database get.</summary>
/// <param name="Database">Whose rows are copied; null where rows are made up.</param>
internal sealed record RowSource(DatabaseUrl? Database);

/// <summary>Brings a throw-away database to where each chosen migration starts, and checks it there.</summary>
/// <param name="server">Where the database is made, and dropped at the end.</param>
/// <param name="lockTimeout">What production will run with.</param>
/// <param name="sizes">Production's tables.</param>
internal sealed class CheckRun(DatabaseUrl server, TimeSpan lockTimeout, TableSizes sizes)
{
    /// <summary>Checks migrations.</summary>
    /// <param name="migrations">All there are, in order.</param>
    /// <param name="chosen">Those to be checked; the others before them only prepare.</param>
    /// <param name="rows">Rows that come once the database stands before the first chosen one; null for no more than the migrations bring.</param>
    /// <param name="report">Gets what is done.</param>
    /// <param name="cancellationToken">Cancels the running statement; the database is dropped all the same.</param>
    /// <exception cref="ProblemException">
    /// CG06xx: no connection; CG1201 to CG1206; CG1209: an earlier migration does not run on an empty database; CG1210: the connection was lost;
    /// CG1211: the rows can't be copied.
    /// </exception>
    public async Task<IReadOnlyList<CheckResult>> RunAsync(
        IReadOnlyList<Migration> migrations, IReadOnlyList<Migration> chosen, RowSource? rows, Report report, CancellationToken cancellationToken)
    {
        if (chosen.Count == 0)
        {
            return [];
        }

        await using var shadow = await ShadowDatabase.CreateAsync(server, cancellationToken);
        var options = new TracerOptions { LockTimeout = $"{(long)lockTimeout.TotalMilliseconds}ms", TimeZone = sizes.TimeZone };
        await using var tracer = await Tracer.StartAsync(shadow.Database, options, cancellationToken);
        try
        {
            return await CheckAsync(tracer, migrations, chosen, rows, report, cancellationToken);
        }
        catch (NpgsqlException e) when (e is not PostgresException && !cancellationToken.IsCancellationRequested)
        {
            throw new ProblemException(
                "CG1210", $"The connection to the throw-away database was lost: {e.Message}",
                advice: "Look into the log of its server; a migration can have ended the session.", cause: e);
        }
    }

    private async Task<IReadOnlyList<CheckResult>> CheckAsync(
        Tracer tracer, IReadOnlyList<Migration> migrations, IReadOnlyList<Migration> chosen, RowSource? rows, Report report, CancellationToken cancellationToken)
    {
        var wanted = chosen.Select(migration => migration.Version).ToHashSet();
        var roundTripper = RoundTripper(tracer);
        var results = new List<CheckResult>();
        foreach (var migration in migrations.TakeWhile(migration => migration.Version <= chosen.Max(last => last.Version)))
        {
            var input = Checked(migration);
            if (!wanted.Contains(migration.Version))
            {
                report.Detail($"{migration.Id} brings the throw-away database on");
                await PrepareAsync(tracer, input, cancellationToken);
                continue;
            }

            if (rows is not null && results.Count == 0)
            {
                await BringRowsAsync(rows, tracer, report, cancellationToken);
            }

            report.Detail($"{migration.Id} is run up, down and up again");
            var (trace, roundTrip) = await roundTripper.RunAsync(input, cancellationToken);
            results.Add(new CheckResult(input, trace, roundTrip, SafetyCheck.Examine(input, trace, sizes, roundTrip), StatementLocks.Of(input, trace)));
        }

        return results;
    }

    private async Task BringRowsAsync(RowSource rows, Tracer tracer, Report report, CancellationToken cancellationToken)
    {
        if (rows.Database is { } source)
        {
            await RowCopy.RunAsync(new Database(source), tracer, report, cancellationToken);
            return;
        }

        var made = await RowMaker.RunAsync(tracer, sizes, cancellationToken);
        foreach (var table in made.Where(table => table.Reason is not null))
        {
            report.Note($"No rows could be made up for {table.Table.Display}: {table.Reason}");
        }

        report.Note(made.Count == 0
            ? "Before the first of these migrations there is no table that rows could be made up for"
            : $"Made up {Plural.Of(made.Sum(table => table.Rows), "row")} in {Plural.Of(made.Count(table => table.Rows > 0), "table")}");
    }

    private static async Task PrepareAsync(Tracer tracer, CheckedMigration migration, CancellationToken cancellationToken)
    {
        if (await tracer.RunAsync(migration.Up, cancellationToken) is { } error)
        {
            throw new ProblemException(
                "CG1209", $"{migration.Source.Path} does not run on the throw-away database: {error.MessageText} ({error.SqlState})",
                migration.Up.Where,
                "Earlier migrations must run on an empty database. Install the extensions and create the roles they need.");
        }
    }

    /// <summary>Takes migrations up, down and up again, and compares the whole schema.</summary>
    internal static RoundTripper<SchemaSnapshot> RoundTripper(Tracer tracer) =>
        new(tracer, (connection, token) => SchemaReader.ReadAsync(connection, new SchemaReadOptions { StaysPrepared = true }, token), Differences);

    /// <summary>The order of columns is left out: no down can put a column back where it stood.</summary>
    internal static IReadOnlyList<string> Differences(SchemaSnapshot before, SchemaSnapshot after) =>
        [.. SchemaDiff.Between(before, after).Where(difference => difference.Fact != "order of columns").Select(difference => difference.ToString())];

    internal static CheckedMigration Checked(Migration migration) =>
        new(migration.Version, migration.Name, migration.Source, Checked(migration.Up), Checked(migration.Down));

    private static CheckedSection Checked(MigrationSection section) => new(section.Where, section.Transactional, section.Irreversible, section.Script);
}
