using System.Text;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Sql;

/// <summary>What a statement does to the transaction that it runs in.</summary>
internal enum SqlTransactionControl : byte
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary><c>BEGIN</c> or <c>START TRANSACTION</c>.</summary>
    Begin,

    /// <summary><c>COMMIT</c> or <c>END</c>.</summary>
    Commit,

    /// <summary><c>ROLLBACK</c> or <c>ABORT</c>, but not <c>ROLLBACK TO SAVEPOINT</c>.</summary>
    Rollback,

    /// <summary><c>PREPARE TRANSACTION</c>.</summary>
    Prepare,
}

/// <summary>One statement as a file has it, from its first token to its last, without the semicolon.</summary>
internal class SqlStatement
{
    // A data file has millions of statements: they are kept small.
    private readonly int _copyStart;
    private readonly int _copyEnd;
    private readonly bool _standardConformingStrings;

    internal SqlStatement(
        SourceText source,
        int start,
        int end,
        bool standardConformingStrings,
        SqlTransactionControl transactionControl,
        (int Start, int End) copyData)
    {
        Source = source;
        Start = start;
        End = end;
        _standardConformingStrings = standardConformingStrings;
        TransactionControl = transactionControl;
        (_copyStart, _copyEnd) = copyData;
    }

    private protected SqlStatement(SqlStatement other)
        : this(other.Source, other.Start, other.End, other._standardConformingStrings, other.TransactionControl,
            (other._copyStart, other._copyEnd))
    {
    }

    /// <summary>The file.</summary>
    public SourceText Source { get; }

    /// <summary>The byte offset of the first token.</summary>
    public int Start { get; }

    /// <summary>The byte offset behind the last token.</summary>
    public int End { get; }

    /// <summary>The statement to the letter, ready for the server; made again on every call, so keep it rather than ask twice.</summary>
    public virtual string Text => Source.Substring(Start, End);

    /// <summary>Where the statement begins.</summary>
    public SourceLocation Location => Source.At(Start);

    /// <summary>What the statement does to the transaction that it runs in.</summary>
    public SqlTransactionControl TransactionControl { get; }

    /// <summary>Whether it is a <c>COPY … FROM stdin</c>, whose rows are in <see cref="CopyData"/>.</summary>
    public bool IsCopyFromStdin => _copyStart > 0;

    /// <summary>
    /// The rows of a <c>COPY … FROM stdin</c> as they stand in the file, line endings included, without the line <c>\.</c>.
    /// </summary>
    public ReadOnlyMemory<byte> CopyData => Source.Utf8[_copyStart.._copyEnd];

    /// <summary>Where <see cref="CopyData"/> begins and ends; 0 where the statement brings no rows.</summary>
    internal (int Start, int End) CopyRows => (_copyStart, _copyEnd);

    /// <summary>Turns the position in an error of the server into a place in the file.</summary>
    /// <param name="position">
    /// 1 for the first character of <see cref="Text"/>; counts characters (code points). What is out of range stands for the nearest end.
    /// </param>
    public virtual SourceLocation At(int position)
    {
        var offset = Math.Min(Source.Advance(Start, position - 1), End);
        var tokens = new SqlLexer(Source.Utf8.Span[..End], offset, _standardConformingStrings);
        return Source.At(offset, tokens.MoveNext() && tokens.Current.Start == offset ? tokens.Current.Length : 1);
    }

    /// <summary>The tokens and comments of the statement; their offsets are those of the file.</summary>
    public SqlLexer Tokens() => new(Source.Utf8.Span[..End], Start, _standardConformingStrings);

    /// <summary>
    /// The statement's leading words in upper case, at most <paramref name="count"/>, up to the first token that is no word; comments are
    /// passed over.
    /// </summary>
    public IReadOnlyList<string> Words(int count)
    {
        var words = new List<string>(count);
        var tokens = Tokens();
        while (words.Count < count && NextWord(ref tokens) is { IsEmpty: false } word)
        {
            words.Add(Encoding.UTF8.GetString(word).ToUpperInvariant());
        }

        return words;
    }

    /// <summary>Whether the statement begins with these words, in whatever case and with whatever comments between them.</summary>
    public bool Is(params ReadOnlySpan<string> words)
    {
        var tokens = Tokens();
        foreach (var word in words)
        {
            if (!Ascii.EqualsIgnoreCase(NextWord(ref tokens), word))
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <summary>The next token if it is a word, otherwise nothing.</summary>
    private ReadOnlySpan<byte> NextWord(ref SqlLexer tokens) =>
        SqlRecognizer.Next(ref tokens) is { Kind: SqlTokenKind.Word } word ? Source.Utf8.Span[word.Start..word.End] : default;
}
