namespace ChatGenius.Tool.Output;

/// <summary>Colour for one stream: written only where a person looks at a terminal that shows it.</summary>
internal readonly struct Style(bool enabled)
{
    public bool Enabled { get; } = enabled;

    public string Red(string text) => Paint("31;1", text);

    public string Yellow(string text) => Paint("33;1", text);

    public string Green(string text) => Paint("32", text);

    public string Blue(string text) => Paint("34;1", text);

    public string Bold(string text) => Paint("1", text);

    public string Dim(string text) => Paint("2", text);

    private string Paint(string codes, string text) => Enabled && text.Length > 0 ? $"\e[{codes}m{text}\e[0m" : text;

    /// <summary>Keeps to <c>NO_COLOR</c> (no-color.org: set and not empty) and to terminals that call themselves dumb.</summary>
    public static Style For(Shell shell, bool isTerminal, bool wanted) =>
        new(wanted && isTerminal && shell.Variable("NO_COLOR") is null && shell.Variable("TERM") != "dumb");
}
