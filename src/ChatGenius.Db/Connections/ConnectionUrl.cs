using System.Text;

namespace ChatGenius.Db.Connections;

/// <summary>
/// Takes a connection string apart the way libpq does (PostgreSQL documentation, "Connection Strings", section 34.1.1): URLs and
/// keyword=value strings become the same list of libpq's parameters.
/// </summary>
internal static class ConnectionUrl
{
    private static readonly string[] Schemes = ["postgres://", "postgresql://"];
    private static readonly string[] Secrets = ["password", "sslpassword"];

    public static bool IsUrl(string text) => SchemeLength(text) > 0;

    /// <summary>
    /// A semicolon marks an Npgsql string; without one it is libpq's. A single <c>host=x</c> means the same in both.
    /// </summary>
    public static bool IsKeywordValue(string text)
    {
        var first = text.IndexOf('=', StringComparison.Ordinal);
        return first > 0 && !text.Contains(';', StringComparison.Ordinal) && ConnectionParameters.IsKnown(text[..first].Trim());
    }

    private static int SchemeLength(string text) =>
        Schemes.FirstOrDefault(s => text.StartsWith(s, StringComparison.OrdinalIgnoreCase))?.Length ?? 0;

    /// <exception cref="ProblemException">CG0601: the URL can't be read.</exception>
    public static List<ConnectionParameter> ParseUrl(ConnectionText source)
    {
        var text = source.Text;
        var parameters = new List<ConnectionParameter>();
        var at = SchemeLength(text);
        HideSecrets(source, at);

        // A user part ends at the first @ before the first slash, as in libpq.
        var authorityEnd = IndexOfAny(text, "/", at);
        var userEnd = text.IndexOf('@', at, authorityEnd - at);
        if (userEnd >= 0)
        {
            var colon = text.IndexOf(':', at, userEnd - at);
            Add("user", at, colon < 0 ? userEnd : colon);
            if (colon >= 0)
            {
                Add("password", colon + 1, userEnd);
            }

            at = userEnd + 1;
        }

        at = ParseHosts(source, at, parameters);
        var queryStart = IndexOfAny(text, "?", at);
        if (at < queryStart)
        {
            if (text.IndexOf('@', at, queryStart - at) is >= 0 and var stray)
            {
                throw Malformed(source, stray, 1, "The URL has an @ after its first slash",
                    "Write a slash in a password as %2F, and an @ in a database name as %40.");
            }

            Add("dbname", at + 1, queryStart);
        }

        ParseQuery(source, queryStart + 1, parameters);
        return parameters;

        void Add(string name, int start, int end)
        {
            if (end > start)
            {
                parameters.Add(new ConnectionParameter(name, Decode(source, start, end), source, start, end - start));
            }
        }
    }

    /// <summary>
    /// Hides more than a well-formed URL would need: in a URL that can't be read (an @ or a slash in the password) the password may
    /// reach to the last @.
    /// </summary>
    private static void HideSecrets(ConnectionText source, int at)
    {
        var text = source.Text;
        var colon = text.IndexOf(':', at);
        if (colon >= 0 && text[at] != '[')
        {
            var slash = IndexOfAny(text, "/", at);
            var userEnd = text.IndexOf('@', at, slash - at);
            var end = text.LastIndexOf('@', IndexOfAny(text, "?", Math.Max(userEnd, at)) - 1);
            if (end < colon && !text[(colon + 1)..slash].All(char.IsAsciiDigit))
            {
                end = text.LastIndexOf('@');
            }

            if (end > colon)
            {
                source.Hide(colon + 1, end);
            }
        }

        foreach (var secret in Secrets)
        {
            for (var i = text.IndexOf(secret + "=", at, StringComparison.OrdinalIgnoreCase); i >= 0; i = text.IndexOf(secret + "=", i + 1,
                StringComparison.OrdinalIgnoreCase))
            {
                var start = i + secret.Length + 1;
                source.Hide(start, IndexOfAny(text, "&", start));
            }
        }
    }

    private static int ParseHosts(ConnectionText source, int at, List<ConnectionParameter> parameters)
    {
        var text = source.Text;
        var start = at;
        var hosts = new List<string>();
        var ports = new List<string>();
        var portsAt = -1;
        while (true)
        {
            int end;
            if (at < text.Length && text[at] == '[')
            {
                end = text.IndexOf(']', at);
                if (end < 0)
                {
                    throw Malformed(source, at, 1, "The IPv6 address has no closing ]", "Write it as postgres://[::1]:5432/name.");
                }

                hosts.Add(Decode(source, at + 1, end));
                at = end + 1;
                if (at < text.Length && !":/?,".Contains(text[at], StringComparison.Ordinal))
                {
                    throw Malformed(source, at, 1, "After the ] of an IPv6 address comes a port, a slash or the end",
                        "Write it as postgres://[::1]:5432/name.");
                }
            }
            else
            {
                end = IndexOfAny(text, ":/?,", at);
                if (text.IndexOf('@', at, end - at) is >= 0 and var stray)
                {
                    throw Malformed(source, stray, 1, "The host has an @", "Write an @ in a user name or password as %40.");
                }

                hosts.Add(Decode(source, at, end));
                at = end;
            }

            var port = at;
            if (at < text.Length && text[at] == ':')
            {
                port = at + 1;
                at = IndexOfAny(text, "/?,", port);
                portsAt = portsAt < 0 ? port : portsAt;
            }

            ports.Add(Decode(source, port, at));
            if (at == text.Length || text[at] != ',')
            {
                break;
            }

            at++;
        }

        if (hosts.Exists(h => h.Length > 0))
        {
            parameters.Add(new ConnectionParameter("host", string.Join(',', hosts), source, start, at - start));
        }

        if (portsAt >= 0)
        {
            parameters.Add(new ConnectionParameter("port", string.Join(',', ports), source, portsAt, at - portsAt));
        }

        return at;
    }

    private static void ParseQuery(ConnectionText source, int at, List<ConnectionParameter> parameters)
    {
        var text = source.Text;
        for (int end; at < text.Length; at = end + 1)
        {
            end = IndexOfAny(text, "&", at);
            var equals = text.IndexOf('=', at, end - at);
            if (equals < 0)
            {
                throw Malformed(source, at, end - at, "A parameter of the URL has no value", "Write parameters as ?name=value&name=value.");
            }

            parameters.Add(new ConnectionParameter(Decode(source, at, equals), Decode(source, equals + 1, end), source, at, equals - at));
        }
    }

    /// <exception cref="ProblemException">CG0601: the string can't be read.</exception>
    public static List<ConnectionParameter> ParseKeywordValue(ConnectionText source)
    {
        var text = source.Text;
        var parameters = new List<ConnectionParameter>();
        for (var at = SkipBlanks(text, 0); at < text.Length; at = SkipBlanks(text, at))
        {
            var start = at;
            while (at < text.Length && text[at] != '=' && !char.IsWhiteSpace(text[at]))
            {
                at++;
            }

            var name = text[start..at];
            at = SkipBlanks(text, at);
            if (at == text.Length || text[at] != '=')
            {
                source.Hide(start, text.Length);
                throw Malformed(source, start, name.Length, "After a keyword of the connection string an = is missing",
                    "Quote a value that has blanks: password='two words'.");
            }

            at = SkipBlanks(text, at + 1);
            var valueStart = at;
            var value = ReadValue(source, ref at);
            if (Secrets.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                source.Hide(valueStart, at);
            }

            parameters.Add(new ConnectionParameter(name, value, source, start, name.Length));
        }

        return parameters;
    }

    private static string ReadValue(ConnectionText source, ref int at)
    {
        var text = source.Text;
        var quoted = at < text.Length && text[at] == '\'';
        var start = at;
        at += quoted ? 1 : 0;
        var value = new StringBuilder();
        while (at < text.Length && (quoted ? text[at] != '\'' : !char.IsWhiteSpace(text[at])))
        {
            at += text[at] == '\\' && at + 1 < text.Length ? 1 : 0;
            value.Append(text[at++]);
        }

        if (quoted && at++ == text.Length)
        {
            source.Hide(start, text.Length);
            throw Malformed(source, start, 1, "A quoted value of the connection string has no closing quote",
                "Write a quote inside a value as \\'.");
        }

        return value.ToString();
    }

    private static int SkipBlanks(string text, int at)
    {
        while (at < text.Length && char.IsWhiteSpace(text[at]))
        {
            at++;
        }

        return at;
    }

    /// <returns>The place of the first of these characters, or the end of the text.</returns>
    private static int IndexOfAny(string text, string characters, int start)
    {
        var found = text.AsSpan(start).IndexOfAny(characters);
        return found < 0 ? text.Length : start + found;
    }

    /// <summary>A plus sign is a plus sign: in libpq's URLs only percent-encoding stands for other characters.</summary>
    private static string Decode(ConnectionText source, int start, int end)
    {
        var text = source.Text;
        var bytes = new List<byte>(end - start);
        for (var i = start; i < end; i++)
        {
            if (text[i] != '%')
            {
                var whole = char.IsHighSurrogate(text[i]) && i + 1 < end ? 2 : 1;
                bytes.AddRange(Encoding.UTF8.GetBytes(text.Substring(i, whole)));
                i += whole - 1;
            }
            else if (i + 2 < end && char.IsAsciiHexDigit(text[i + 1]) && char.IsAsciiHexDigit(text[i + 2])
                && text.AsSpan(i, 3) is not "%00")
            {
                bytes.Add(Convert.FromHexString(text.AsSpan(i + 1, 2))[0]);
                i += 2;
            }
            else
            {
                throw Malformed(source, i, 1, "The URL has a % that two hexadecimal digits do not follow", "Write a percent sign as %25.");
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    private static ProblemException Malformed(ConnectionText source, int start, int length, string message, string advice) =>
        new(new Problem("CG0601", message, source.At(start, length), advice));
}
