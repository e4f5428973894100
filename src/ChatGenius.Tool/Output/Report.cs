using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ChatGenius.Db;

namespace ChatGenius.Tool.Output;

/// <summary>
/// All that a run says. Results go to stdout; notes, warnings, progress and problems go to stderr, so that a pipe
/// carries results alone. With <c>--json</c> stdout is one JSON document in any case.
/// </summary>
internal sealed class Report(Shell shell, bool json, bool color)
{
    /// <summary>How wide a text may get where no terminal limits it.</summary>
    private const int WidthWithoutTerminal = 120;

    /// <summary>Whether stdout carries one JSON document instead of text.</summary>
    public bool Json { get; } = json;

    /// <summary>Whether notes and progress are left out (<c>--quiet</c>).</summary>
    public bool Quiet { get; init; }

    /// <summary>Whether details are printed (<c>--verbose</c>).</summary>
    public bool Verbose { get; init; }

    /// <summary>Colours for stdout.</summary>
    public Style Style { get; } = Style.For(shell, shell.OutIsTerminal, color);

    /// <summary>Colours for stderr.</summary>
    public Style ErrorStyle { get; } = Style.For(shell, shell.ErrorIsTerminal, color);

    /// <summary>Whether a line on stderr can be drawn again and again.</summary>
    public bool IsLive => ErrorStyle.Enabled && !Quiet && !Json;

    public bool OutIsTerminal => shell.OutIsTerminal;

    public bool ErrorIsTerminal => shell.ErrorIsTerminal;

    public TextWriter Out => shell.Out;

    /// <summary>Stderr, behind what stdout holds back: where both go into one log, their order stays.</summary>
    public TextWriter Error
    {
        get
        {
            shell.Out.Flush();
            return shell.Error;
        }
    }

    public int OutWidth => shell.OutIsTerminal ? shell.Width() : WidthWithoutTerminal;

    public int ErrorWidth => shell.ErrorIsTerminal ? shell.Width() : WidthWithoutTerminal;

    /// <summary>A line of the result, on stdout; nothing with <c>--json</c>.</summary>
    public void Result(string line = "")
    {
        if (!Json)
        {
            shell.Out.WriteLine(line);
        }
    }

    /// <summary>The result as one JSON document, on stdout; nothing without <c>--json</c>.</summary>
    public void Result<T>(T document, JsonTypeInfo<T> type)
    {
        if (Json)
        {
            shell.Out.WriteLine(JsonSerializer.Serialize(document, type));
        }
    }

    /// <summary>A line for the person who watches.</summary>
    /// <param name="line">The line.</param>
    /// <param name="label">A word before it that tells what kind of line it is.</param>
    public void Note(string line, string? label = null)
    {
        if (!Quiet)
        {
            Error.WriteLine((label is null ? "" : ErrorStyle.Yellow($"{label}:") + " ") + Cells.Tame(line));
        }
    }

    /// <summary>A line for the person who looks for something.</summary>
    public void Detail(string line)
    {
        if (Verbose)
        {
            Error.WriteLine(ErrorStyle.Dim(Cells.Tame(line)));
        }
    }

    /// <summary>Something that does not stop the run but is likely to be wrong; printed with <c>--quiet</c> too.</summary>
    public void Warn(Problem problem) => Error.Write(ProblemText.Of(problem, ErrorWidth, ErrorStyle, warning: true));

    /// <summary>What stopped the run: text on stderr and, with <c>--json</c>, <c>{"problems":[…]}</c> on stdout.</summary>
    public void Problems(IReadOnlyList<Problem> problems)
    {
        foreach (var problem in problems)
        {
            Error.Write(ProblemText.Of(problem, ErrorWidth, ErrorStyle));
        }

        if (problems.Count > 1)
        {
            Error.WriteLine($"{problems.Count} problems");
        }

        Result(ProblemsJson.Of(problems), JsonContext.Readable.ProblemsJson);
    }

    /// <summary>An exception that nobody foresaw.</summary>
    public void Bug(Exception exception)
    {
        Error.WriteLine($"{ErrorStyle.Red("internal error:")} {Cells.Tame(exception.Message)}");
        Error.WriteLine(Cells.Tame(exception.ToString()));
        Error.WriteLine($"  {ErrorStyle.Green("help:")} This is a fault of {Cli.Name} {Cli.Version}, not of your files or database.");
        Error.WriteLine("        Please report it with the lines above (read them first: they may hold names of yours) and the command.");
    }
}
