using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool.Output;

/// <summary>
/// All that a run says. Results go to stdout; notes, warnings, progress and problems go to stderr, so that a pipe
/// carries results alone. With <c>--json</c> stdout is one JSON document in any case.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The writers wrap the shell's streams, which are not theirs to close.")]
internal sealed class Report
{
    /// <summary>How wide a text may get where no terminal limits it.</summary>
    private const int WidthWithoutTerminal = 120;

    private readonly Shell _shell;
    private readonly SafeWriter _out, _error;

    public Report(Shell shell, bool json, bool color, bool lines = false)
    {
        _shell = shell;
        var isGitHub = shell.Variable("GITHUB_ACTIONS") == "true";
        _out = new SafeWriter(shell.Out, isGitHub, isResult: true);
        _error = new SafeWriter(shell.Error, isGitHub, isResult: false) { NotUnderstood = _out.NotUnderstood };
        Json = json || lines;
        IsStream = lines;
        Style = Style.For(shell, shell.OutIsTerminal, color);
        ErrorStyle = Style.For(shell, shell.ErrorIsTerminal, color);
    }

    /// <summary>Whether stdout carries one JSON document instead of text.</summary>
    public bool Json { get; private set; }

    /// <summary>Whether stdout carries a JSON document a line, as things happen (<c>apply --json-lines</c>).</summary>
    public bool IsStream { get; }

    /// <summary>Whether notes and progress are left out (<c>--quiet</c>).</summary>
    public bool Quiet { get; private set; }

    /// <summary>Whether details are printed (<c>--verbose</c>).</summary>
    public bool Verbose { get; private set; }

    /// <summary>Whether the run has said already that it was cancelled, and where it was then.</summary>
    public bool HasSaidCancelled { get; set; }

    /// <summary>Colours for stdout.</summary>
    public Style Style { get; private set; }

    /// <summary>Colours for stderr.</summary>
    public Style ErrorStyle { get; private set; }

    /// <summary>The options of this call, of which a command in an advice takes over what it needs; null until they are
    /// understood.</summary>
    public GlobalOptions? Options { get; private set; }

    /// <summary>Whether a line on stderr can be drawn again and again.</summary>
    public bool IsLive => ErrorStyle.Enabled && !Quiet && !Json;

    /// <summary>How often a run that goes on says so: often enough on a terminal for a line that moves, every few seconds in a pipe with
    /// <c>--verbose</c>; null for never.</summary>
    public TimeSpan? Beat => IsLive ? _shell.Beat ?? RunProgress.Frame : Verbose && !Json ? _shell.Beat ?? TimeSpan.FromSeconds(5) : null;

    public bool OutIsTerminal => _shell.OutIsTerminal;

    public bool ErrorIsTerminal => _shell.ErrorIsTerminal;

    public TextWriter Out
    {
        get
        {
            Life?.Erase();
            return _out;
        }
    }

    /// <summary>What shows that a long work goes on; null where none does.</summary>
    public RunProgress? Life { get; set; }

    /// <summary>Stderr, after what stdout holds back: where both go into one log, their order stays.</summary>
    public TextWriter Error
    {
        get
        {
            Life?.Erase();
            return LiveError;
        }
    }

    /// <summary>The same for the live line itself, which writes over what was drawn before.</summary>
    public TextWriter LiveError
    {
        get
        {
            _out.Flush();
            return _error;
        }
    }

    public int OutWidth => _shell.OutIsTerminal ? _shell.Width() : WidthWithoutTerminal;

    public int ErrorWidth => _shell.ErrorIsTerminal ? _shell.Width() : WidthWithoutTerminal;

    /// <summary>Takes over what the command line says of the output.</summary>
    public void Follow(GlobalOptions options)
    {
        Options = options;
        (Json, Quiet, Verbose) = (options.Json || IsStream, options.Quiet, options.Verbose);
        Style = Style.For(_shell, _shell.OutIsTerminal, !options.NoColor);
        ErrorStyle = Style.For(_shell, _shell.ErrorIsTerminal, !options.NoColor);
    }

    /// <summary>A connection string that is not understood: from now on no part of it is shown.</summary>
    public void HideAll(string notUnderstood) => _out.NotUnderstood.Add(notUnderstood);

    /// <summary>
    /// Looks at what was typed for a password in a connection string that is not understood, or not meant as one: whatever complains of it,
    /// on the way to the place where it belongs, must not show it.
    /// </summary>
    public void HideSlips(IEnumerable<string> typed)
    {
        foreach (var text in typed.Where(text => Secrets.Hide(text) != text))
        {
            try
            {
                DatabaseUrl.Parse(text);
            }
            catch (ProblemException)
            {
                HideAll(text);
            }
        }
    }

    /// <summary>A line of the result, on stdout; nothing with <c>--json</c>.</summary>
    public void Result(string line = "")
    {
        if (!Json)
        {
            Out.WriteLine(line);
        }
    }

    /// <summary>The result as one JSON document, on stdout; nothing without <c>--json</c>.</summary>
    public void Result<T>(T document, JsonTypeInfo<T> type)
    {
        if (IsStream && document is DoneJson done)
        {
            Event(new EventJson("result") { Result = done });
        }
        else if (Json && !IsStream)
        {
            _out.WriteLine(JsonSerializer.Serialize(document, type));
        }
    }

    /// <summary>A line of a stream of events.</summary>
    public void Event(EventJson value)
    {
        _out.WriteLine(JsonSerializer.Serialize(value, JsonContext.Line.EventJson));
        _out.Flush();
    }

    /// <summary>A text on stdout that another program may read, to the letter; a terminal gets it without what it would obey.</summary>
    public void Document(string text) => _out.WriteDocument(text, _shell.OutIsTerminal);

    /// <summary>A command to GitHub's runner, which reads stderr as well: stdout may carry a document.</summary>
    public void Command(string line)
    {
        _out.Flush();
        _error.WriteCommand(line);
    }

    /// <summary>A line for the person who watches.</summary>
    /// <param name="line">The line.</param>
    /// <param name="label">A word before it that tells what kind of line it is.</param>
    public void Note(string line, string? label = null)
    {
        if (!Quiet)
        {
            Error.WriteLine((label is null ? "" : ErrorStyle.Yellow($"{label}:") + " ") + Cells.Tame(Executable(line)));
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
    public void Warn(Problem problem) => Error.Write(ProblemText.Of(Executable(problem), ErrorWidth, ErrorStyle, warning: true));

    /// <summary>What stopped the run: text on stderr and, with <c>--json</c>, <c>{"problems":[…]}</c> on stdout.</summary>
    public void Problems(IEnumerable<Problem> problems)
    {
        var all = problems.Select(Executable).ToList();
        foreach (var problem in all)
        {
            Error.Write(ProblemText.Of(problem, ErrorWidth, ErrorStyle));
        }

        if (all.Count > 1)
        {
            Error.WriteLine($"{all.Count} problems");
        }

        var document = ProblemsJson.Of(all);
        Result(document, JsonContext.Readable.ProblemsJson);
        if (IsStream)
        {
            Event(new EventJson("problems") { Problems = document.Problems });
        }
    }

    /// <summary>An exception that nobody foresaw.</summary>
    public void Bug(Exception exception)
    {
        Error.WriteLine($"{ErrorStyle.Red("internal error:")} {Cells.Tame(exception.Message)}");
        Error.WriteLine(Cells.Tame(exception.ToString()));
        Error.WriteLine($"  {ErrorStyle.Green("help:")} This is a fault of {Cli.Name} {Cli.Version}, not of your files or database.");
        Error.WriteLine("        Please report it with the lines above (read them first: they may hold names of yours) and the command.");
    }

    /// <summary>Hands on what stdout holds back at the end of a run.</summary>
    /// <exception cref="ProblemException">CG1110: stdout can't be written.</exception>
    public void Complete() => _out.Complete();

    /// <summary>A text whose calls of the tool say where this call works, so that they can be pasted.</summary>
    public string Executable(string text) => ToolCall.Complete(text, words => Options?.Here(words) ?? []);

    private Problem Executable(Problem problem) =>
        problem.Advice is null ? problem : problem with { Advice = Executable(problem.Advice) };
}
