namespace ChatGenius.Db.Migrations;

/// <summary>
/// Limits how long one call of the front door waits for a server that the network may have cut off without a sign: packets just stop, and no
/// connection is closed.
/// </summary>
/// <remarks>
/// Npgsql can't be told to leave a connection at once. It sends a cancel request over a new connection first, and waits for that one's end
/// without a limit. So the work is left behind: it ends when its connections do, at the latest with the process.
/// </remarks>
/// <param name="answer">How long a command may take that takes the server no time.</param>
internal sealed class Patience(TimeSpan answer)
{
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What the server was at when it was last heard of; <c>null</c> before the first migration.</summary>
    internal MigrationStep? Step { get; set; }

    /// <summary>Waits for work, and leaves it behind when the patience is over.</summary>
    /// <exception cref="ProblemException">CG0516: the server doesn't answer any more.</exception>
    internal async Task<T> AwaitAsync<T>(Task<T> work)
    {
        if (await Task.WhenAny(work, _over.Task) != work)
        {
            throw new ProblemException(RunProblem.NoAnswer(Step));
        }

        return await work;
    }

    /// <summary>Waits for the answer to a command that takes the server no time.</summary>
    internal async Task<T> AnswerAsync<T>(Task<T> command)
    {
        await AnswerAsync((Task)command);
        return await command;
    }

    /// <inheritdoc cref="AnswerAsync{T}"/>
    internal async Task AnswerAsync(Task command)
    {
        using var heard = new CancellationTokenSource();
        var limit = EndAfterAsync(answer, heard.Token);
        try
        {
            await command;
        }
        finally
        {
            await heard.CancelAsync();
            await limit;
        }
    }

    /// <summary>Ends the wait after a time, whatever is under way then.</summary>
    internal async Task EndAfterAsync(TimeSpan time, CancellationToken unless = default)
    {
        await Task.Delay(time, unless).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!unless.IsCancellationRequested)
        {
            _over.TrySetResult();
        }
    }
}
