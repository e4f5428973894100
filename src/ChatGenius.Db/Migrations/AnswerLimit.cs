namespace ChatGenius.Db.Migrations;

/// <summary>
/// Limits how long one call of the front door waits for a server that the network may have cut off without a sign: packets just stop, and
/// no connection is closed.
/// </summary>
/// <remarks>
/// Npgsql can't be told to leave a connection immediately. It sends a cancel request over a new connection first, and waits for that one's
/// end without a limit. So the work is left behind: it ends when its connections do, at the latest with the process.
/// </remarks>
/// <param name="answer">How long a command may take that takes the server no time.</param>
internal sealed class AnswerLimit(TimeSpan answer)
{
    private readonly TaskCompletionSource<Problem?> _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Says what the server was at when it was last heard of; <c>null</c> before the first migration.</summary>
    internal Func<MigrationStep?> UnderWay { get; set; } = () => null;

    /// <summary>Waits for work, and leaves it behind when an answer is overdue.</summary>
    /// <exception cref="ProblemException">CG0516: the server doesn't answer any more; or what <see cref="AnswerAsync{T}"/> was
    /// given.</exception>
    internal async Task<T> AwaitAsync<T>(Task<T> work)
    {
        if (await Task.WhenAny(work, _over.Task) != work)
        {
            throw new ProblemException(await _over.Task ?? StepProblem.NoAnswer(UnderWay()));
        }

        return await work;
    }

    /// <summary>Waits for the answer to a command that takes the server no time.</summary>
    /// <param name="command">The command.</param>
    /// <param name="within">How long, where the usual limit is too long.</param>
    /// <param name="otherwise">What no answer means then.</param>
    internal async Task<T> AnswerAsync<T>(Task<T> command, TimeSpan? within = null, Problem? otherwise = null)
    {
        await AnswerAsync((Task)command, within, otherwise);
        return await command;
    }

    /// <inheritdoc cref="AnswerAsync{T}"/>
    internal async Task AnswerAsync(Task command, TimeSpan? within = null, Problem? otherwise = null)
    {
        using var heard = new CancellationTokenSource();
        var limit = within < answer ? EndAfterAsync(within.Value, otherwise, heard.Token) : EndAfterAsync(answer, unless: heard.Token);
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

    /// <summary>Gives up after a time, whatever is running then.</summary>
    internal async Task EndAfterAsync(TimeSpan time, Problem? problem = null, CancellationToken unless = default)
    {
        await Task.Delay(time, unless).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!unless.IsCancellationRequested)
        {
            _over.TrySetResult(problem);
        }
    }
}
