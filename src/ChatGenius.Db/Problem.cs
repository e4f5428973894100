using ChatGenius.Db.Text;

namespace ChatGenius.Db;

/// <summary>
/// The only shape a complaint has: what is wrong, where, and what to do about it. A problem is about the user's files,
/// settings or database; a fault of this program is an ordinary exception.
/// </summary>
/// <param name="Code"><c>CG</c> and four digits; stable across versions and listed in <c>PROBLEMS.md</c>.</param>
/// <param name="Message">What is wrong, in one or more short lines without a trailing full stop on a single line.</param>
/// <param name="Where">The place in a file that the message is about, if there is one.</param>
/// <param name="Advice">What the reader can do about it.</param>
public sealed record Problem(string Code, string Message, SourceLocation? Where = null, string? Advice = null)
{
    /// <summary>What a caller may do about it beside showing it.</summary>
    public ProblemKind Kind { get; init; }

    /// <summary>The files of migrations that it is about, where what to do depends on whose they are.</summary>
    internal IReadOnlyList<string> Files { get; init; } = [];
}

/// <summary>What a caller may do about a problem beside showing it.</summary>
public enum ProblemKind
{
    /// <summary>It lasts until somebody mends it.</summary>
    Lasting,

    /// <summary>No server answers; it may a moment later.</summary>
    Unreachable,

    /// <summary>The server answers, and has no connection to give just now.</summary>
    Busy,

    /// <summary>What answers does not speak PostgreSQL's protocol. A server that is just ending looks like that too.</summary>
    NotPostgres,

    /// <summary>The server has no such database.</summary>
    NoDatabase,

    /// <summary>The database is there and lets nobody in, or not this role.</summary>
    ClosedDatabase,

    /// <summary>Another run holds the lock.</summary>
    Locked,

    /// <summary>Something that its author has still to fill in.</summary>
    Unfinished,
}

/// <summary>Carries all problems of one kind to the one place that prints them.</summary>
public sealed class ProblemException : Exception
{
    /// <summary>Reports one problem.</summary>
    public ProblemException(
        string code, string message, SourceLocation? where = null, string? advice = null, Exception? cause = null,
        ProblemKind kind = default)
        : this([new Problem(code, message, where, advice) { Kind = kind }], cause)
    {
    }

    /// <summary>Reports one problem.</summary>
    public ProblemException(Problem problem, Exception? cause = null)
        : this([problem], cause)
    {
    }

    /// <summary>Reports several problems together, so that they can be mended together.</summary>
    /// <exception cref="ArgumentException">The list is empty.</exception>
    public ProblemException(IReadOnlyList<Problem> problems, Exception? cause = null)
        : base(string.Join('\n', problems.Select(problem => $"{problem.Code}: {problem.Message}")), cause)
    {
        if (problems.Count == 0)
        {
            throw new ArgumentException("At least one problem is needed.", nameof(problems));
        }

        Problems = problems;
    }

    /// <summary>The problems, in the order they are to be read; never empty.</summary>
    public IReadOnlyList<Problem> Problems { get; }

    /// <summary>Whether the same attempt may succeed a moment later: the server is not there yet, is starting up, or has no slot
    /// free.</summary>
    public bool MayPass => Problems is [{ Kind: ProblemKind.Unreachable or ProblemKind.Busy }];
}
