using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool.Output;

/// <summary>
/// The one point where text leaves the program for a person or a log. Here secrets are hidden, escape sequences other than our own are
/// taken out, and in GitHub's log nothing can form a workflow command: all of it may come from a file or a server.
/// </summary>
/// <param name="inner">The stream itself; a document that has to stay as it is goes there through <see cref="WriteDocument"/>.</param>
/// <param name="isGitHub">Whether GitHub's runner reads the output.</param>
/// <param name="isResult">Whether it carries results: a problem where it can't be written. Nobody can be told that stderr can't.</param>
internal sealed partial class SafeWriter(TextWriter inner, bool isGitHub, bool isResult) : TextWriter
{
    /// <summary>Control characters but line breaks and tabs, and marks that turn the direction of writing.</summary>
    private static readonly SearchValues<char> Unruly = SearchValues.Create([
        .. Between('\0', '\b'), .. Between('\v', '\u001F'), .. Between('\u007F', '\u009F'),
        .. Between('\u200E', '\u200F'), .. Between('\u2028', '\u202E'), .. Between('\u2066', '\u2069')]);

    private Exception? _failure;
    private bool _isTold;

    /// <summary>What is to be hidden entirely: connection strings that are not understood.</summary>
    public List<string> NotUnderstood { get; init; } = [];

    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Write(value.ToString());

    public override void Write(string? value)
    {
        if (value is { Length: > 0 })
        {
            Send(Clean(value));
        }
    }

    public override void WriteLine() => Send("\n");

    public override void WriteLine(string? value) => Write($"{value}\n");

    /// <summary>Writes a text to the letter: a result that another program reads.</summary>
    /// <param name="text">The text.</param>
    /// <param name="isTerminal">Whether a terminal would obey what is in it.</param>
    /// <exception cref="ProblemException">CG1111: it has a line that GitHub's runner would obey; CG1110: it can't be written.</exception>
    public void WriteDocument(string text, bool isTerminal)
    {
        if (isGitHub && WorkflowCommand().Match(text) is { Success: true } command)
        {
            throw new ProblemException(
                "CG1111", $"Line {1 + text.AsSpan(0, command.Index).Count('\n')} of the result would be a command to GitHub's runner",
                advice: "Write the result to a file with --output FILE.");
        }

        Send(isTerminal ? Tame(text) : text);
    }

    /// <summary>Writes a workflow command of our own.</summary>
    public void WriteCommand(string line) => Send(line + "\n");

    /// <summary>Hands on what is held back. What can't be written then is said by the next write or by <see cref="Complete"/>.</summary>
    public override void Flush() => Try(inner.Flush);

    /// <summary>Hands on what is held back at the end of a run.</summary>
    /// <exception cref="ProblemException">CG1110: not all could be written, and nobody was told.</exception>
    public void Complete()
    {
        Flush();
        Tell();
    }

    private static IEnumerable<char> Between(char first, char last) =>
        Enumerable.Range(first, last - first + 1).Select(code => (char)code);

    private void Send(string text)
    {
        Try(() => inner.Write(text));
        Tell();
    }

    private void Try(Action write)
    {
        try
        {
            if (_failure is null)
            {
                write();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            _failure = e;
        }
    }

    private void Tell()
    {
        if (isResult && _failure is not null && !_isTold)
        {
            _isTold = true;
            var reason = _failure is ObjectDisposedException ? "it is closed" : (_failure.InnerException ?? _failure).Message;
            throw new ProblemException(
                "CG1110",
                    $"The result can't be written to stdout: {reason}",
                advice: "Look at where stdout goes: its disk may be full, or the stream closed.", cause: _failure);
        }
    }

    private string Clean(string text)
    {
        text = Secrets.Hide(Tame(text));
        foreach (var secret in NotUnderstood)
        {
            text = Secrets.Hide(text, secret);
        }

        return isGitHub ? WorkflowCommand().Replace(text, match => match.Value == "::" ? ": :" : "# #[") : text;
    }

    /// <summary>Keeps the few escape sequences that this program writes, and no others.</summary>
    private static string Tame(string text) => !text.AsSpan().ContainsAny(Unruly) ? text
        : Escape().Replace(text, match => match.Length > 1 ? match.Value : match.Value == "\r" ? "" : "\uFFFD");

    /// <summary>Our own colours, the erased line of a live display, and else each unruly character.</summary>
    [GeneratedRegex(
        @"\e\[(?:31;1|33;1|34;1|32|1|2|0)m|\r\e\[2K|[\x00-\x08\x0B-\x1F\x7F-\x9F\u200E\u200F\u2028-\u202E\u2066-\u2069]",
            RegexOptions.CultureInvariant)]
    private static partial Regex Escape();

    /// <summary>What GitHub's runner obeys: at the start of a line, after blanks, and in its older form anywhere.</summary>
    [GeneratedRegex(@"(?<=^[^\S\n]*)::(?=[\w\-]+(?:[^\S\n][^\n]*)?::)|##\[(?=[^\]\n]+\])",
        RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex WorkflowCommand();
}
