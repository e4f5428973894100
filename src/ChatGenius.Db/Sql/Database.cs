using Npgsql;

namespace ChatGenius.Db.Sql;

/// <summary>Opens connections to one database, and turns every way in which that can fail into a problem that says what to do.</summary>
/// <param name="url">Where the database is.</param>
public sealed class Database(DatabaseUrl url)
{
    // One attempt a fifth of a second is quick enough for a person and cheap enough for a server that is starting up.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    // Without a pool a data source holds nothing that has to be given back.
    private NpgsqlDataSource? _source;

    /// <summary>Where the database is.</summary>
    public DatabaseUrl Url => url;

    /// <summary>Opens a connection of its own, not pooled; closing it ends the session.</summary>
    /// <exception cref="ProblemException">CG0610 to CG0629: the connection can't be had; see <c>PROBLEMS.md</c>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<NpgsqlConnection> ConnectAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return await Source().OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && ConnectionProblem.From(url, e) is { } problem)
        {
            throw new ProblemException(problem, e);
        }
    }

    /// <summary>Whether a refused connection may be had a moment later: the server is not there yet, is starting up, or has no slot free.</summary>
    public static bool MayPass(ProblemException problem) => problem.Problems is [{ Code: "CG0610" or "CG0612" or "CG0619" or "CG0620" or "CG0626" }];

    /// <summary>Tries until the database accepts connections.</summary>
    /// <param name="timeout">How long; <see cref="Timeout.InfiniteTimeSpan"/> for as long as the token allows.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ProblemException">The problem of the last attempt, when the time is over or waiting would not help.</exception>
    public async Task WaitAsync(TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                await using var connection = await ConnectAsync(cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (ProblemException e) when (MayPass(e) && (timeout == Timeout.InfiniteTimeSpan || TimeProvider.System.GetElapsedTime(started) < timeout))
            {
                await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private NpgsqlDataSource Source()
    {
        if (_source is null)
        {
            var builder = new NpgsqlSlimDataSourceBuilder(url.ConnectionString);
            builder.EnableTransportSecurity().EnableIntegratedSecurity().EnableArrays();

            // The catalog of types is not read: nothing here maps a user's types, and it would cost each start a round trip.
            builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
            _source = url.ChoosesServer ? builder.BuildMultiHost() : builder.Build();
        }

        return _source;
    }
}
