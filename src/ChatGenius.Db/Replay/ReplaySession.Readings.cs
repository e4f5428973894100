using ChatGenius.Db.Connections;
using Npgsql;

namespace ChatGenius.Db.Replay;

/// <summary>What of ours runs in the sessions that migrations run in.</summary>
internal sealed partial class ReplaySession
{
    /// <summary>Connects twice at the same time: a server takes longer to begin a session than to run most statements.</summary>
    private static async Task<(NpgsqlConnection Subject, NpgsqlConnection Observer)> ConnectTwiceAsync(
        Database database, CancellationToken cancellationToken)
    {
        Task<NpgsqlConnection>[] connecting = [database.ConnectAsync(cancellationToken), database.ConnectAsync(cancellationToken)];
        try
        {
            await Task.WhenAll(connecting);
        }
        catch
        {
            foreach (var connected in connecting.Where(one => one.IsCompletedSuccessfully))
            {
                await SilentServer.CloseAsync(await connected);
            }

            throw;
        }

        return (await connecting[0], await connecting[1]);
    }

    public async ValueTask DisposeAsync() =>
        await Task.WhenAll(SilentServer.CloseAsync(Observer).AsTask(), SilentServer.CloseAsync(Subject).AsTask());

    /// <summary>Runs one command in the state that a migration has left a session in: every name in it is qualified.</summary>
    /// <exception cref="PostgresException">The server refused it.</exception>
    internal static Task CommandAsync(NpgsqlConnection connection, string command, CancellationToken cancellationToken) =>
        CommandsAsync(connection, [command], cancellationToken);

    private static Task<int> CommandsAsync(NpgsqlConnection connection, string[] commands, CancellationToken cancellationToken) =>
        GuardAsync(
            connection,
            async () =>
            {
                await using var batch = new NpgsqlBatch(connection) { Timeout = 0 };
                foreach (var command in commands)
                {
                    batch.BatchCommands.Add(new NpgsqlBatchCommand(command));
                }

                return await batch.ExecuteNonQueryAsync(cancellationToken);
            },
            cancellationToken);

    /// <summary>Does something with one of the connections of a throw-away database.</summary>
    /// <exception cref="ProblemException">CG1210: the connection was lost; CG0516: the server does not answer any more.</exception>
    internal static async Task<T> GuardAsync<T>(NpgsqlConnection connection, Func<Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            return await SilentServer.AwaitAsync(connection, work, "working on the throw-away database", cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && IsLost(connection, e))
        {
            throw Replayer.Lost(e);
        }
    }

    private static bool IsLost(NpgsqlConnection connection, Exception exception) => exception switch
    {
        PostgresException e => SessionProblem.EndsSession(e),
        SqlPipelineException<int> e => SessionProblem.EndsSession(e.Error),
        NpgsqlException or IOException => true,
        InvalidOperationException => connection.State != System.Data.ConnectionState.Open,
        _ => false,
    };

    /// <summary>Reads the rows of a query, in the state that a migration has left a session in: every name in it is qualified.</summary>
    internal static async Task ReadAsync(NpgsqlConnection connection, string query, Action<NpgsqlDataReader> row,
        CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection) { Timeout = 0, BatchCommands = { new NpgsqlBatchCommand(query) } };
        await ReadAsync(
            batch,
            async reader =>
            {
                while (await reader.ReadAsync(cancellationToken))
                {
                    row(reader);
                }

                return true;
            },
            prepare: false,
            cancellationToken);
    }

    /// <summary>Reads for the trace; what the server refuses there is no failure of the migration.</summary>
    internal static async Task<T> ReadAsync<T>(NpgsqlBatch batch, Func<NpgsqlDataReader, Task<T>> read, bool prepare,
        CancellationToken cancellationToken)
    {
        try
        {
            return await GuardAsync(
                batch.Connection!,
                async () =>
                {
                    // Plans of the catalogs' queries cost more than their runs; to prepare what is prepared costs nothing.
                    await (prepare ? batch.PrepareAsync(cancellationToken) : Task.CompletedTask);
                    await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
                    return await read(reader);
                },
                cancellationToken);
        }
        catch (PostgresException e) when (!cancellationToken.IsCancellationRequested
            && SessionProblem.From("reading what a statement did", e, isOpen: true) is { } problem)
        {
            throw new ProblemException(problem, e);
        }
    }
}
