using System.Buffers;

namespace ChatGenius.Db.Sql;

/// <summary>
/// PostgreSQL's lexical rules (its documentation, chapter "Lexical Structure"; its source, <c>scan.l</c> and <c>psqlscan.l</c>), and the
/// only place that knows them. Takes any bytes, never fails and always comes to the end: what is not closed becomes a token whose kind says
/// so. White space is skipped, comments are tokens.
/// </summary>
/// <remarks>
/// psql's variables (<c>:name</c>, <c>:'name'</c>) are not replaced: a migration has to be the same text on every machine. So
/// <c>:</c> is ordinary punctuation, as it is for the server.
/// </remarks>
internal ref partial struct SqlLexer
{
    private const byte Space = (byte)'s';
    private const byte Op = (byte)'o';
    private const byte Minus = (byte)'-';
    private const byte Slash = (byte)'/';

    // What a word can go on with is sorted to the end, so that one comparison finds it.
    private const byte Letter = (byte)'w';
    private const byte PrefixLetter = (byte)'x';
    private const byte Digit = (byte)'y';
    private const byte Dollar = (byte)'z';

    private static readonly SearchValues<byte> LineEnds = SearchValues.Create("\n\r"u8);

    private readonly ReadOnlySpan<byte> _text;
    private int _position;
    private int _stringEnd;

    // Up to here there are only signs, each an operator of its own; without it a long row of them takes quadratic time.
    private int _signsEnd;
    private StringSyntax _stringSyntax;

    /// <summary>Starts at a byte offset of a text; token offsets count from the start of the text.</summary>
    /// <param name="text">UTF-8; what should not be read is cut off by the caller.</param>
    /// <param name="start">Where the first token is looked for.</param>
    /// <param name="standardConformingStrings">
    /// The server's setting of that name: whether a backslash in <c>'…'</c> is an ordinary character.
    /// </param>
    public SqlLexer(ReadOnlySpan<byte> text, int start = 0, bool standardConformingStrings = true)
    {
        _text = text;
        _position = start;
        _stringEnd = -1;
        StandardConformingStrings = standardConformingStrings;
    }

    private enum StringSyntax : byte
    {
        /// <summary>A doubled quote stands for one.</summary>
        Standard,

        /// <summary>The same, and a backslash takes the next character with it.</summary>
        Backslashes,

        /// <summary>The first quote ends it: bit strings know no doubled quote.</summary>
        Bits,
    }

    /// <summary>The token that <see cref="MoveNext"/> found.</summary>
    public SqlToken Current { get; private set; }

    /// <summary>
    /// Whether a backslash in <c>'…'</c> is an ordinary character; a <c>SET</c> in the text can change it for what follows.
    /// </summary>
    public bool StandardConformingStrings { get; set; }

    /// <summary>What each byte can begin, one letter a byte.</summary>
    private static ReadOnlySpan<byte> Classes =>
        "?????????sssss??"u8 +
        "????????????????"u8 +
        "so\"ozoo'()oop-./"u8 +
        "yyyyyyyyyy:;oooo"u8 +
        "owxwwxwwwwwwwwxw"u8 +
        "wwwwwxwwxwwp\\pow"u8 +
        "owxwwxwwwwwwwwxw"u8 +
        "wwwwwxwwxww?o?o?"u8 +
        "wwwwwwwwwwwwwwww"u8 +
        "wwwwwwwwwwwwwwww"u8 +
        "wwwwwwwwwwwwwwww"u8 +
        "wwwwwwwwwwwwwwww"u8 +
        "wwwwwwwwwwwwwwww"u8 +
        "wwwwwwwwwwwwwwww"u8 +
        "wwwwwwwwwwwwwwww"u8 +
        "wwwwwwwwwwwwwwww"u8;

    /// <summary>Lets <c>foreach</c> run over the tokens.</summary>
    public readonly SqlLexer GetEnumerator() => this;

    /// <summary>Goes on behind bytes that are not SQL, such as the data of a <c>COPY</c>.</summary>
    public void SkipTo(int position) => _position = position;

    /// <summary>Finds the next token.</summary>
    /// <returns>Whether there is one.</returns>
    public bool MoveNext()
    {
        var text = _text;
        var i = _position;
        byte kind;
        do
        {
            if ((uint)i >= (uint)text.Length)
            {
                Current = new SqlToken(SqlTokenKind.End, text.Length, text.Length);
                _position = text.Length;
                return false;
            }

            kind = Classes[text[i++]];
        }
        while (kind == Space);

        i--;
        return kind switch
        {
            Letter => Found(SqlTokenKind.Word, i, EndOfWord(i + 1)),
            PrefixLetter => ReadPrefixed(i),
            Digit => Found(SqlTokenKind.Number, i, EndOfNumber(i)),
            (byte)'p' => Found(SqlTokenKind.Symbol, i, i + 1),
            (byte)'(' => Found(SqlTokenKind.OpenParenthesis, i, i + 1),
            (byte)')' => Found(SqlTokenKind.CloseParenthesis, i, i + 1),
            (byte)';' => Found(SqlTokenKind.Semicolon, i, i + 1),
            (byte)'\'' => ReadQuote(i),
            (byte)'"' => ReadQuotedIdentifier(i, i + 1),
            (byte)'.' => ReadDot(i),
            (byte)':' when PeekAt(i + 1) is (byte)':' or (byte)'=' => Found(SqlTokenKind.Operator, i, i + 2),
            Minus when PeekAt(i + 1) == '-' => ReadLineComment(i),
            Slash when PeekAt(i + 1) == '*' => ReadBlockComment(i),
            Op or Minus or Slash => Found(SqlTokenKind.Operator, i, EndOfOperator(i)),
            Dollar => ReadDollar(i),
            (byte)'\\' => Found(SqlTokenKind.Backslash, i, i + 1),
            _ => Found(SqlTokenKind.Symbol, i, i + 1),
        };
    }

    private bool Found(SqlTokenKind kind, int start, int end)
    {
        Current = new SqlToken(kind, start, end);
        _position = end;
        return true;
    }

    /// <summary>The byte at an offset, or 0 behind the end.</summary>
    private readonly byte PeekAt(int i) => (uint)i < (uint)_text.Length ? _text[i] : (byte)0;

    private readonly bool IsDigit(int i) => (uint)(PeekAt(i) - '0') <= 9;

    private readonly int EndOfWord(int i)
    {
        var text = _text;
        while ((uint)i < (uint)text.Length && Classes[text[i]] >= Letter)
        {
            i++;
        }

        return i;
    }

    /// <summary>A letter that may belong to a string, as in <c>E'…'</c>, and mostly just begins a word.</summary>
    private bool ReadPrefixed(int start)
    {
        var letter = (byte)(_text[start] | 0x20);
        var next = PeekAt(start + 1);
        if (next == '\'' && letter != 'u')
        {
            var syntax = letter switch
            {
                (byte)'e' => StringSyntax.Backslashes,
                (byte)'n' => OrdinaryString,
                _ => StringSyntax.Bits,
            };
            return ReadString(SqlTokenKind.StringConstant, start, start + 2, syntax);
        }

        if (next == '&' && letter == 'u')
        {
            switch (PeekAt(start + 2))
            {
                case (byte)'\'': return ReadString(SqlTokenKind.StringConstant, start, start + 3, StringSyntax.Standard);
                case (byte)'"': return ReadQuotedIdentifier(start, start + 3);
            }
        }

        return Found(SqlTokenKind.Word, start, EndOfWord(start + 1));
    }

    private readonly StringSyntax OrdinaryString => StandardConformingStrings ? StringSyntax.Standard : StringSyntax.Backslashes;

    private bool ReadQuote(int start) => ContinuesString(start)
        ? ReadString(SqlTokenKind.StringContinuation, start, start + 1, _stringSyntax)
        : ReadString(SqlTokenKind.StringConstant, start, start + 1, OrdinaryString);

    /// <summary>
    /// Whether nothing but white space with a line break, and line comments, lies between the last string and this quote.
    /// </summary>
    private readonly bool ContinuesString(int quote)
    {
        if (_stringEnd < 0)
        {
            return false;
        }

        var gap = _text[_stringEnd..quote];
        var lineBreak = false;
        for (var i = 0; i < gap.Length; i++)
        {
            if (gap[i] is (byte)'\n' or (byte)'\r')
            {
                lineBreak = true;
            }
            else if (gap[i] == '-' && i + 1 < gap.Length && gap[i + 1] == '-')
            {
                // A line comment before a later token always ends with a line break.
                i += gap[i..].IndexOfAny(LineEnds) - 1;
            }
            else if (Classes[gap[i]] != Space)
            {
                return false;
            }
        }

        return lineBreak;
    }

    private bool ReadString(SqlTokenKind kind, int start, int content, StringSyntax syntax)
    {
        var text = _text;
        for (var i = content; ;)
        {
            var rest = text[i..];
            var next = syntax == StringSyntax.Backslashes ? rest.IndexOfAny((byte)'\'', (byte)'\\') : rest.IndexOf((byte)'\'');
            if (next < 0)
            {
                return Found(SqlTokenKind.UnterminatedString, start, text.Length);
            }

            i += next + 1;
            if (text[i - 1] == '\\')
            {
                i = Math.Min(i + 1, text.Length);
            }
            else if (syntax != StringSyntax.Bits && PeekAt(i) == '\'')
            {
                i++;
            }
            else
            {
                _stringEnd = i;
                _stringSyntax = syntax;
                return Found(kind, start, i);
            }
        }
    }

    private bool ReadQuotedIdentifier(int start, int content)
    {
        for (var i = content; ;)
        {
            var next = _text[i..].IndexOf((byte)'"');
            if (next < 0)
            {
                return Found(SqlTokenKind.UnterminatedIdentifier, start, _text.Length);
            }

            i += next + 1;
            if (PeekAt(i) != '"')
            {
                return Found(SqlTokenKind.QuotedIdentifier, start, i);
            }

            i++;
        }
    }

    /// <summary>
    /// A parameter, a dollar-quoted string, or a stray character. Behind a letter, <c>$</c> belongs to the word and never comes here.
    /// </summary>
    private bool ReadDollar(int start)
    {
        var text = _text;
        var i = start + 1;
        if (IsDigit(i))
        {
            while (IsDigit(i))
            {
                i++;
            }

            return Found(SqlTokenKind.Parameter, start, i);
        }

        while ((uint)i < (uint)text.Length && Classes[text[i]] is Letter or PrefixLetter or Digit)
        {
            i++;
        }

        if (PeekAt(i) != '$')
        {
            return Found(SqlTokenKind.Symbol, start, start + 1);
        }

        var delimiter = text[start..++i];
        var length = text[i..].IndexOf(delimiter);
        return length < 0
            ? Found(SqlTokenKind.UnterminatedDollarString, start, text.Length)
            : Found(SqlTokenKind.DollarStringConstant, start, i + length + delimiter.Length);
    }

    private bool ReadDot(int start)
    {
        if (IsDigit(start + 1))
        {
            return Found(SqlTokenKind.Number, start, EndOfNumber(start));
        }

        return PeekAt(start + 1) == '.' ? Found(SqlTokenKind.Operator, start, start + 2) : Found(SqlTokenKind.Symbol, start, start + 1);
    }
}
