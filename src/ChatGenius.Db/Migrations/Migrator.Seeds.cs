using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Migrations;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;
using Npgsql;

namespace ChatGenius.Db;

public sealed partial class Migrator
{
    /// <summary>Runs seeds, each in a transaction, under the lock of the migrations.</summary>
    /// <param name="seeds">In order.</param>
    /// <param name="progress">Told of each that is done.</param>
    /// <param name="cancellationToken">Cancels the statement on the server; its seed is rolled back.</param>
    /// <exception cref="ProblemException">
    /// CG1404: a statement failed; those of <see cref="ApplyAsync"/> for the session and the lock.
    /// </exception>
    internal Task SeedAsync(IReadOnlyList<Seed> seeds, IProgress<Seed>? progress = null, CancellationToken cancellationToken = default) =>
        InSessionAsync(
            async (session, stop) =>
            {
                await session.ReadAsync(HistoryColumns.Plan);
                await session.LockAsync();
                if (_options.Reason is not null)
                {
                    await session.PrepareAsync(HistoryColumns.Plan);
                    await WriteReasonAsync(session, "seed");
                }

                foreach (var seed in seeds)
                {
                    await SeedAsync(session, seed, stop);
                    progress?.Report(seed);
                }

                return true;
            },
            cancellationToken);

    /// <summary>What the server refused of a seed.</summary>
    internal static ProblemException SeedFailed(Seed seed, PostgresException error, SqlStatement? statement) => new(
        new Problem(
            "CG1404",
            $"The seed {seed.Path} failed and was rolled back: {error.MessageText} (SQLSTATE {error.SqlState})"
                + (error.Detail is { Length: > 0 } detail ? $"\ndetail: {detail}" : ""),
            statement is null ? null : error.Position > 0 ? statement.At(error.Position) : statement.Location,
            error.SqlState == PostgresErrorCodes.UniqueViolation
                ? "Seeds are run again and again: write ON CONFLICT DO NOTHING, or DO UPDATE."
                : "Mend it and run the same command again; seeds before it are done and run again."),
        error);

    /// <summary>Writes why the run may do what would be refused, before it does it.</summary>
    private Task WriteReasonAsync(MigrationSession session, string command) => _options.Reason is null ? Task.CompletedTask
        : session.WriteAsync(
            session.History.LogEntry(new LogEntry(
                "allowed", command, Version: null, Name: null, Duration: null, _options.ToolVersion, Detail: _options.Reason))
            ?? throw new ProblemException(
                "CG0525", $"The reason can't be written into {session.History.Schema}.log",
                advice: "The role has to be able to write there."));

    /// <summary>Writes into the log; changes nothing else.</summary>
    /// <exception cref="ProblemException">CG0525: our role may not write there, or there is none.</exception>
    internal Task WriteLogAsync(IReadOnlyList<LogEntry> entries, CancellationToken cancellationToken = default) => InSessionAsync(
        async (session, _) =>
        {
            await session.ReadAsync(HistoryColumns.Plan);
            await session.LockAsync();
            await session.PrepareAsync(HistoryColumns.Plan);
            await session.WriteAsync([.. entries.Select(entry => session.History.LogEntry(entry) ?? throw new ProblemException(
                "CG0525", $"Nothing can be written into {session.History.Schema}.log",
                advice: "It is there after the first apply, and the role has to be able to write there."))]);
            return true;
        },
        cancellationToken);

    /// <summary>What earlier runs tell of the speed of this database.</summary>
    /// <exception cref="ProblemException">CG0519: only its owner may read the log.</exception>
    internal Task<(IReadOnlyList<LogEntry> Log, IReadOnlyList<BatchState> Batches)> EarlierAsync(
        CancellationToken cancellationToken = default) => InSessionAsync(
        async (session, stop) =>
        {
            var log = await session.History.ReadLogAsync(session.Connection, stop);
            return (log, await session.History.ReadBatchesAsync(
                Session.Over(session.Connection, "reading the batches of earlier runs"), waitForWriters: false, stop));
        },
        cancellationToken);

    private static async Task SeedAsync(MigrationSession session, Seed seed, CancellationToken stop)
    {
        var pipeline = new SqlPipeline<bool>(session.Connection);
        foreach (var sql in (string[])[MigrationSession.Begin, .. session.Settings(local: true)])
        {
            pipeline.Add(false, sql);
        }

        foreach (var statement in seed.Section.Script.Statements)
        {
            pipeline.Add(true, statement);
        }

        foreach (var sql in (string[])[.. MigrationSession.Reset, $"SELECT {session.Lock.Fence}", "COMMIT"])
        {
            pipeline.Add(false, sql);
        }

        try
        {
            await using var cancelling = session.CancelWith(stop);
            await pipeline.RunAsync("", static _ => { }, stop);
        }
        catch (SqlPipelineException<bool> e)
        {
            await session.RollbackAsync();
            stop.ThrowIfCancellationRequested();
            throw SeedFailed(seed, e.Error, e.Statement);
        }
    }
}
