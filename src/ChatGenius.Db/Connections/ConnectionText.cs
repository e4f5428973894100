using System.Text;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Connections;

/// <summary>A connection string as the user gave it, which can be shown in a complaint because its secrets are masked.</summary>
/// <param name="label">Where it came from: <c>--database</c>, <c>DATABASE_URL</c>, …</param>
/// <param name="text">The string, secrets included.</param>
/// <param name="line">Its line, where it came from a file.</param>
internal sealed class ConnectionText(string label, string text, int line = 1)
{
    private const string Mask = "***";
    private readonly bool[] _secret = new bool[text.Length];

    /// <summary>The string, secrets included: never to be shown.</summary>
    public string Text => text;

    /// <summary>What is between here and there is never shown.</summary>
    public void Hide(int start, int end) => _secret.AsSpan(start..end).Fill(true);

    /// <summary>The place of a complaint, in the masked string. The string is one line to the reader, whatever is in it.</summary>
    public SourceLocation At(int start, int length)
    {
        var shown = new StringBuilder();
        var from = 0;
        var to = 0;
        for (var i = 0; i <= text.Length; i++)
        {
            from = i <= start ? shown.Length : from;
            to = i <= start + length ? shown.Length : to;
            if (i == text.Length || (i > 0 && _secret[i] && _secret[i - 1]))
            {
                continue;
            }

            shown.Append(_secret[i] ? Mask : char.IsControl(text[i]) ? "\uFFFD" : text[i].ToString());
        }

        var all = shown.ToString();
        return new SourceLocation(label, line, Characters(all[..from]) + 1, all, Math.Max(1, Characters(all[from..to])));
    }

    private static int Characters(string text) => text.EnumerateRunes().Count();
}

/// <summary>One parameter of a connection string, with the place it was read from.</summary>
internal readonly record struct ConnectionParameter(string Name, string Value, ConnectionText Source, int Start, int Length)
{
    public SourceLocation Where => Source.At(Start, Length);
}
