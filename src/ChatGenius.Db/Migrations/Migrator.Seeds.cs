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
