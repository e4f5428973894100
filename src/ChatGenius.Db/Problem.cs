using ChatGenius.Db.Text;

namespace ChatGenius.Db;

/// <summary>
/// The only shape a complaint has: what is wrong, where, and the way out. A problem is about the user's files,
/// settings or database; a fault of this program is an ordinary exception.
/// </summary>
/// <param name="Code"><c>CG</c> and four digits; stable across versions and listed in <c>PROBLEMS.md</c>.</param>
/// <param name="Message">What is wrong, in one or more short lines without a trailing full stop on a single line.</param>
/// <param name="Where">The place in a file that the message is about, if there is one.</param>
/// <param name="Advice">What the reader can do about it.</param>
public sealed record Problem(string Code, string Message, SourceLocation? Where = null, string? Advice = null);

/// <summary>Carries all problems of one kind to the one place that prints them.</summary>
public sealed class ProblemException : Exception
{
    /// <summary>Reports one problem.</summary>
    public ProblemException(Problem problem, Exception? innerException = null)
        : this([problem], innerException)
    {
    }

    /// <summary>Reports several problems together, so that they can be mended together.</summary>
    /// <exception cref="ArgumentException">The list is empty.</exception>
    public ProblemException(IReadOnlyList<Problem> problems, Exception? innerException = null)
        : base(problems.Count > 0 ? $"{problems[0].Code}: {problems[0].Message}" : null, innerException)
    {
        if (problems.Count == 0)
        {
            throw new ArgumentException("At least one problem is needed.", nameof(problems));
        }

        Problems = problems;
    }

    /// <summary>The problems, in the order they are to be read; never empty.</summary>
    public IReadOnlyList<Problem> Problems { get; }
}
