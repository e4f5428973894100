using System.Text;

namespace ChatGenius.Db.Text;

/// <summary>
/// The text of a file as UTF-8 bytes without a byte order mark. Bytes, not UTF-16: PostgreSQL's own lexer works on bytes,
/// everything it looks for is ASCII, and a 200 MB data file is neither converted nor copied. Positions are byte offsets
/// here and become lines and columns only when somebody has to read them.
/// </summary>
internal sealed class SourceText
{
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    // Where a line begins that was asked for before, and its number. Places are asked for in the order of the file, so counting on from
    // here reads the file once; a table of all lines would be larger than the statements of a data file.
    private (int Start, int Number)[] _known = [(0, 1)];

    private bool? _mayHaveMarks;

    private SourceText(string path, ReadOnlyMemory<byte> utf8)
    {
        Path = path;
        Utf8 = utf8;
    }

    /// <summary>The file as the user named it, or a label such as <c>bundle/0001_initial_schema.sql</c>.</summary>
    public string Path { get; }

    /// <summary>The text, valid UTF-8, without a byte order mark; line endings are as they are in the file.</summary>
    public ReadOnlyMemory<byte> Utf8 { get; }

    /// <summary>Whether a comment of ours, <c>cgdb:…</c>, may be in it. Asked several times of each file, and looked for once.</summary>
    internal bool MayHaveMarks => _mayHaveMarks ??= Utf8.Span.IndexOf("cgdb:"u8) >= 0 || Utf8.Span.IndexOf("CGDB:"u8) >= 0;

    /// <summary>The same text with some bytes written over, so that places in it are places in the file.</summary>
    internal SourceText Over(ReadOnlyMemory<byte> utf8) => new(Path, utf8);

    /// <summary>The text between two byte offsets.</summary>
    public string Substring(int start, int end) => Encoding.UTF8.GetString(Utf8.Span[start..end]);

    /// <summary>The whole text.</summary>
    internal string All() => Substring(0, Utf8.Length);

    /// <summary>The lines without their line feeds, each with the byte offset that it begins at.</summary>
    internal IEnumerable<(int At, string Line)> Lines()
    {
        var at = 0;
        foreach (var line in All().Split('\n'))
        {
            yield return (at, line);
            at += Encoding.UTF8.GetByteCount(line) + 1;
        }
    }

    /// <summary>Takes a text that is in memory already.</summary>
    public static SourceText From(string path, string text) => new(path, Encoding.UTF8.GetBytes(text));

    /// <summary>Takes bytes that were read already, from a file or from this assembly.</summary>
    /// <exception cref="ProblemException">CG0101: the bytes are not UTF-8; names the first place that is not.</exception>
    public static SourceText From(string path, ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Span.StartsWith(ByteOrderMark))
        {
            bytes = bytes[ByteOrderMark.Length..];
        }

        if (!System.Text.Unicode.Utf8.IsValid(bytes.Span))
        {
            throw new ProblemException(NotUtf8(path, bytes));
        }

        return new SourceText(path, bytes);
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="mayStream">Whether it may be a pipe, which somebody named on purpose. What was found may not: reading it could wait for
    /// ever.</param>
    /// <exception cref="ProblemException">CG0101: not UTF-8; CG0102: not there; CG0103: can't be read; CG0104: too large.</exception>
    public static SourceText Read(string path, bool mayStream = false)
    {
        byte[] bytes;
        try
        {
            if (mayStream && UnixFile.Of(path) is { IsRegular: false, IsFolder: false })
            {
                bytes = ReadStream(path);
            }
            else
            {
                OrdinaryFile.Require(path);
                bytes = ReadBytes(path);
            }
        }
        catch (FileNotFoundException e) when (path.Contains('\uFFFD', StringComparison.Ordinal))
        {
            // .NET decodes the names that it lists, and opens a file by its name alone.
            throw new ProblemException(
                "CG0103", $"The file {path} can't be opened: its name is not UTF-8", advice: "Give it another name.", cause: e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ProblemException("CG0102", $"The file {path} is not there", advice: "Check the path.", cause: e);
        }
        catch (IOException e) when (new FileInfo(path) is { Exists: true, Length: > int.MaxValue / 2 })
        {
            throw new ProblemException(
                "CG0104", $"The file {path} is too large to be one migration", advice: "Split it into files of at most 1 GB.",
                cause: e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw OrdinaryFile.Unreadable(path, e);
        }

        return From(path, bytes);
    }

    /// <summary>Reads what has no length, up to the length of the largest file.</summary>
    private static byte[] ReadStream(string path)
    {
        const int Largest = 1 << 30;
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read);
        using var bytes = new MemoryStream();
        var part = new byte[81920];
        for (var read = stream.Read(part); read > 0; read = stream.Read(part))
        {
            bytes.Write(part.AsSpan(0, read));
            if (bytes.Length > Largest)
            {
                throw new IOException("it has more than 1 GB");
            }
        }

        return bytes.ToArray();
    }

    /// <summary>Reads a large file on all cores: most of the time goes into getting the memory for it from the system, page by
    /// page.</summary>
    private static byte[] ReadBytes(string path)
    {
        const int Chunk = 4 * 1024 * 1024;
        using var file = File.OpenHandle(path);
        var length = RandomAccess.GetLength(file);
        if (length == 0 || length > Array.MaxLength)
        {
            // What has no length may have bytes all the same; what has too many is refused there.
            return File.ReadAllBytes(path);
        }

        var bytes = GC.AllocateUninitializedArray<byte>((int)length);
        void ReadChunk(int i)
        {
            var end = Math.Min((i + 1L) * Chunk, bytes.Length);
            for (var at = (long)i * Chunk; at < end;)
            {
                var read = RandomAccess.Read(file, bytes.AsSpan((int)at, (int)(end - at)), at);
                at += read > 0 ? read : throw new EndOfStreamException("it became shorter while it was read");
            }
        }

        if (bytes.Length <= Chunk)
        {
            ReadChunk(0);
            return bytes;
        }

        try
        {
            Parallel.For(0, ((bytes.Length - 1) / Chunk) + 1, ReadChunk);
            return bytes;
        }
        catch (AggregateException e)
        {
            throw e.InnerException!;
        }
    }

    /// <inheritdoc cref="Read"/>
    /// <summary>Reads a file on a thread of the pool.</summary>
    public static Task<SourceText> ReadAsync(string path, bool mayStream = false, CancellationToken cancellationToken = default) =>
        Task.Run(() => Read(path, mayStream), cancellationToken).WaitAsync(cancellationToken);

    /// <summary>Turns a byte offset into a line and a column.</summary>
    /// <param name="offset">From 0 to the length of the text; an offset inside a character stands for that character.</param>
    /// <param name="length">How many bytes the complaint covers; what reaches past the end of the line is cut.</param>
    public SourceLocation At(int offset, int length = 1)
    {
        var text = Utf8.Span;
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)offset, (uint)text.Length, nameof(offset));
        var (start, number) = LineOf(text, offset);
        var rest = text[start..];
        var end = rest.IndexOfAny((byte)'\n', (byte)'\r');
        end = end < 0 ? text.Length : start + end;
        var lineText = Encoding.UTF8.GetString(text[start..end]);
        var column = 1 + CountCharacters(text[start..Math.Min(offset, end)]);
        var width = offset >= end ? 1 : CountCharacters(text[offset..Math.Min(end, offset + Math.Max(length, 1))]);
        return new SourceLocation(Path, number, column, lineText, Math.Max(width, 1));
    }

    /// <summary>Moves on by a number of characters (code points): what PostgreSQL counts in an error's position.</summary>
    /// <returns>The byte offset, at most the end of the text.</returns>
    public int Advance(int offset, int characters)
    {
        var text = Utf8.Span;
        while (characters > 0 && offset < text.Length)
        {
            offset++;
            while (offset < text.Length && (text[offset] & 0xC0) == 0x80)
            {
                offset++;
            }

            characters--;
        }

        return offset;
    }

    private static int CountCharacters(ReadOnlySpan<byte> utf8)
    {
        var count = 0;
        foreach (var b in utf8)
        {
            if ((b & 0xC0) != 0x80)
            {
                count++;
            }
        }

        return count;
    }

    /// <summary>The line that an offset is in. A line ends with LF, CR LF or a lone CR, as in PostgreSQL's lexer.</summary>
    private (int Start, int Number) LineOf(ReadOnlySpan<byte> text, int offset)
    {
        // Two threads may ask at the same time: an array is replaced as a whole.
        var known = _known;
        var line = known[0].Start <= offset ? known[0] : (Start: 0, Number: 1);

        // Between CR and LF is no end of a line.
        var end = offset > line.Start && offset < text.Length && text[offset] == '\n' && text[offset - 1] == '\r' ? offset - 1 : offset;
        var before = text[line.Start..end];
        var last = before.LastIndexOfAny((byte)'\n', (byte)'\r');
        if (last >= 0)
        {
            line = (line.Start + last + 1, line.Number + CountLineEnds(before));
            _known = [line];
        }

        return line;
    }

    private static int CountLineEnds(ReadOnlySpan<byte> text)
    {
        var count = text.Count((byte)'\n');
        for (var next = text.IndexOf((byte)'\r'); next >= 0; next = text.IndexOf((byte)'\r'))
        {
            text = text[(next + 1)..];
            count += text.StartsWith("\n"u8) ? 0 : 1;
        }

        return count;
    }

    private static Problem NotUtf8(string path, ReadOnlyMemory<byte> bytes)
    {
        var span = bytes.Span;
        if (span.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || span.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]))
        {
            return new Problem("CG0101", $"The file {path} is UTF-16, not UTF-8", Advice: "Save it as UTF-8.");
        }

        var bad = 0;
        while (Rune.DecodeFromUtf8(span[bad..], out _, out var consumed) == System.Buffers.OperationStatus.Done)
        {
            bad += consumed;
        }

        // What is before the bad byte is valid; what follows is shown with replacement characters.
        var where = new SourceText(path, bytes).At(bad);
        return new Problem(
            "CG0101",
            $"The file is not UTF-8: the byte 0x{span[bad]:X2} does not belong there",
            where,
            "Save the file as UTF-8 (an editor may call its present encoding Latin-1 or Windows-1252).");
    }
}
