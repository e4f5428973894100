using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Replay;

/// <summary>What keeps a repeatable object from being made on a throw-away database.</summary>
/// <param name="File">The object's file.</param>
/// <param name="Where">The place in it.</param>
/// <param name="Lines">What <c>apply</c> would say, and more of it.</param>
internal sealed record RepeatableFailure(Migration File, SourceLocation Where, IReadOnlyList<string> Lines);

/// <summary>
/// Runs repeatable objects on a throw-away database as <c>apply</c> runs them, one set after the other: so what a later set replaces is
/// replaced as it will be.
/// </summary>
/// <param name="replayer">The server.</param>
/// <param name="database">The database.</param>
internal sealed class RepeatableReplay(Replayer replayer, ThrowAwayDatabase database)
{
    private static readonly MigratorOptions Options = new() { HistorySchema = "chatgenius_db_replay" };

    /// <summary>Runs those whose text is another one than ran last.</summary>
    /// <param name="files">All of them.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <returns>Null where all got through; otherwise nothing of them was changed.</returns>
    internal async Task<RepeatableFailure?> RunAsync(IReadOnlyList<Migration> files, CancellationToken cancellationToken)
    {
        for (var roles = new HashSet<string>(); ;)
        {
            try
            {
                await new Migrator(database.Database, [], Options, null, files).ApplyAsync(cancellationToken: cancellationToken);
                return null;
            }
            catch (ProblemException e) when (e.InnerException is PostgresException error && database.IsOnOwnServer
                && StatementPolicy.MissingRole(error) is { } role && roles.Add(role))
            {
                await replayer.RunAsync(database, session => session.TryMakeRoleAsync(role, cancellationToken), cancellationToken);
            }
            catch (ProblemException e) when (e.Problems is [{ Code: "CG0502" or "CG0528", Where: { } where } problem]
                && files.FirstOrDefault(file => file.Source.Path == where.Path) is { } file)
            {
                var lines = problem.Message.Split('\n');
                var name = $"{file.Name}: ";
                return new(
                    file, where,
                    [lines[0].StartsWith(name, StringComparison.Ordinal) ? lines[0][name.Length..] : lines[0], .. lines[1..]]);
            }
        }
    }

    /// <summary>Takes away what was noted to tell which text ran last.</summary>
    internal async Task ForgetAsync(CancellationToken cancellationToken)
    {
        await using var session = await Session.OpenAsync(database.Database, "cleaning up a throw-away database", cancellationToken);
        await session.WriteAsync(
            ["SET LOCAL client_min_messages = warning", $"DROP SCHEMA IF EXISTS {SqlIdentifier.Quote(Options.HistorySchema)} CASCADE"],
            cancellationToken);
    }
}
