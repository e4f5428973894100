using System.Data;
using System.Diagnostics;
using Npgsql;

namespace ChatGenius.Db.Connections;

/// <summary>
/// Leaves a server that says nothing any more, or does not let go of a command that was cancelled. Nothing of ours has a time limit by
/// itself, because nobody knows how long a server needs; but one that is at work answers on another connection.
/// </summary>
/// <remarks>
/// Npgsql can't be told to leave a connection: it cancels first, and waits for the server to obey. So the work is left to itself; it ends
/// with its connection, at the latest with the process.
/// </remarks>
internal static class SilentServer
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>More than Npgsql waits for a cancelled command, before it breaks the connection off.</summary>
    private static readonly TimeSpan CancelLimit = TimeSpan.FromSeconds(5);

    /// <summary>Waits for work on a connection.</summary>
    /// <param name="connection">One that <see cref="Database"/> has opened.</param>
    /// <param name="work">What is done with it.</param>
    /// <param name="doing">What that is, as a problem says it: <c>reading the schema</c>.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="ProblemException">CG0516: the server does not answer any more.</exception>
    internal static async Task<T> AwaitAsync<T>(
        NpgsqlConnection connection, Func<Task<T>> work, string doing, CancellationToken cancellationToken)
    {
        // Elsewhere than here: what a server sends without a pause is read without one.
        var running = Task.Run(work, CancellationToken.None);
        var (database, silent, cancelled) = (Database.Of(connection), Stopwatch.StartNew(), new Stopwatch());
        while (!running.IsCompleted)
        {
            await ((Task)running).WaitAsync(Pause, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

            // It is looked at, and not registered: Npgsql's own callbacks for the token may wait for the server.
            if (cancellationToken.IsCancellationRequested)
            {
                cancelled.Start();
            }

            if (!running.IsCompleted && cancelled.Elapsed > CancelLimit)
            {
                throw new OperationCanceledException(cancellationToken);
            }

            if (!running.IsCompleted && !cancelled.IsRunning && silent.Elapsed > database.AnswerLimit)
            {
                if (!await database.AnswersAsync())
                {
                    throw new ProblemException(
                        "CG0516", $"The server does not answer any more; it was {doing}",
                        advice: "Check the network, and that it is PostgreSQL that answers there. Then run the same command again.");
                }

                silent.Restart();
            }
        }

        return await running;
    }

    /// <summary>Closes a connection, which Npgsql can't where something was left on it: that one ends with the process.</summary>
    internal static async ValueTask CloseAsync(NpgsqlConnection connection)
    {
        if (connection.FullState is ConnectionState.Open or ConnectionState.Closed or ConnectionState.Broken)
        {
            await Task.Run(() => connection.DisposeAsync().AsTask()).WaitAsync(CancelLimit)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
