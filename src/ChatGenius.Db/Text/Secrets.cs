using System.Buffers;
using System.Text.RegularExpressions;

namespace ChatGenius.Db.Text;

/// <summary>
/// Takes out of a text what looks like a password, wherever it comes from: a URL, a keyword string, a statement, a settings file. Every
/// message for a person, a log or the history goes through it. What is to be run again (a stored down section, a script, a dump) does not.
/// </summary>
internal static partial class Secrets
{
    /// <summary>What is shown in the place of a secret.</summary>
    public const string Mask = "***";

    /// <summary>The text without its secrets.</summary>
    public static string Hide(string text)
    {
        // Most texts have nothing of the kind, and a look for a character or two costs less than a pattern.
        if (text.Contains('@', StringComparison.Ordinal))
        {
            text = UserInfo().Replace(
                text,
                match => match.Groups["bare"].Success || match.Groups["info"].ValueSpan.Contains(':')
                    ? $"{match.Groups["scheme"].Value}{Mask}@" : match.Value);
        }

        if (text.AsSpan().IndexOfAny('=', ':') >= 0 && text.AsSpan().ContainsAny(Beginnings))
        {
            text = Keyword().Replace(text, $"${{name}}{Mask}");
        }

        return text.Contains("password", StringComparison.OrdinalIgnoreCase) ? Statement().Replace(text, $"${{word}}'{Mask}'") : text;
    }

    /// <summary>
    /// Takes out of a text whatever a connection string that is not understood has in it: nobody knows which part of it is the password.
    /// Its scheme and the names of parameters stay.
    /// </summary>
    /// <param name="text">A message about it.</param>
    /// <param name="notUnderstood">The connection string.</param>
    public static string Hide(string text, string notUnderstood)
    {
        var names = Name().Matches(notUnderstood).Select(match => match.Value).Where(name => Nearest.To(name, KnownNames) is not null)
            .Concat(Schemes);
        foreach (var part in Part().Split(notUnderstood).Except(names, StringComparer.OrdinalIgnoreCase).Where(part => part.Length > 2)
            .OrderByDescending(part => part.Length))
        {
            text = Regex.Replace(text, $@"(?<![\w\-]){Regex.Escape(part)}(?![\w\-])", Mask, RegexOptions.CultureInvariant);
        }

        return text;
    }

    // One of them is in every keyword that means a password.
    private static readonly SearchValues<string> Beginnings =
        SearchValues.Create(["pa", "ps", "pw", "secret", "token", "to\u212Aen"], StringComparison.OrdinalIgnoreCase);

    private static readonly string[] Schemes = ["postgres", "postgresql", "jdbc", "psql"];

    private static readonly string[] KnownNames =
        ["host", "port", "user", "username", "password", "dbname", "database", "sslmode", "options", "search_path", "application_name",
            "connect_timeout"];

    /// <summary>
    /// What lies between a scheme and the last @ of the word, or of the line where the scheme is PostgreSQL's; it is a secret where it has
    /// a colon.
    /// </summary>
    [GeneratedRegex(
        """
        (?<scheme>\b[a-z0-9+.\-]*postg\w*:/{0,3})(?<info>(?:(?!://)[^\n])*)@
        |(?<scheme>\b[a-z][a-z0-9+.\-]*:(?:/{1,3}|(?=[^/\s]*:\S*@)))(?<info>\S*)@
        |(?<scheme>(?<![\w@/])[\w.\-]+:)(?<bare>[^\s:/]\S*)@(?=[\w\[])
        """,
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex UserInfo();

    /// <summary>
    /// A keyword that means a password, however it is misspelt, with its value: <c>Pwd=x</c>, <c>passwrod='x'</c>, <c>password = 'x'</c>,
    /// <c>"password": "x"</c>. With blanks around the sign only a quoted value counts: an SQL expression is no secret.
    /// </summary>
    [GeneratedRegex(
        """
        (?<name>\b\w*?(?:p[as]{1,4}\w{0,3}w\w{0,4}d|passw\w*|pwd|passphrase|pass|pw|secret|token)=)
        (?:'(?:[^']|'')*(?:'|$)|\\?"[^"]*(?:"|$)|[^\s&;,"']+)
        |(?<name>\b\w*?(?:p[as]{1,4}\w{0,3}w\w{0,4}d|passw\w*|pwd)(?:\s*=\s*|\\?"\s*:\s*))(?:'(?:[^']|'')*(?:'|$)|\\?"[^"]*(?:"|$))
        """,
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Keyword();

    /// <summary>As in CREATE ROLE and OPTIONS: the word, and a quoted text that may go on in the next line.</summary>
    [GeneratedRegex(
        """
        (?<word>\bpassword\s+)(?:(?:[en]|u&)?'(?:[^']|'')*(?:'|\z)|\$(?<tag>\w*)\$.*?(?:\$\k<tag>\$|\z))
        """,
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.Singleline | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Statement();

    [GeneratedRegex("""[:/@?&=;,\s"'%\#\[\]()]+""", RegexOptions.CultureInvariant)]
    private static partial Regex Part();

    [GeneratedRegex("""(?<![^?&;\s"'])\w+(?=\s*=)""", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
