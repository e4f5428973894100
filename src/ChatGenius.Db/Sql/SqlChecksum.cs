using System.Buffers;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace ChatGenius.Db.Sql;

/// <summary>
/// SHA-256 over the tokens of a script, fed while they are read. Each token goes in as its length and its bytes, and each
/// statement ends with a length that no token has, so that two different scripts can't give the same input.
/// </summary>
/// <remarks>The encoding is stored in people's databases: changing it would make every applied migration look edited.</remarks>
internal sealed class SqlChecksum
{
    private const int LongestHeader = 5;

    // Below it, another thread costs more than it takes over.
    private const int ManyRows = 1024 * 1024;

    // Every file has a preamble before its first section, and it is empty.
    private static readonly string OfNothing = Convert.ToHexStringLower(SHA256.HashData([]));

    // Two quotes and CR LF. Nearly every token is shorter or has none of it.
    private const int ShortestWithLineEnding = 4;

    // Tokens are small and a call of the hash function is not: they are gathered here first. The buffer is borrowed, because a folder has
    // thousands of scripts, and most of them are smaller than it.
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);

    // Made when the buffer is full for the first time: what fits into it is hashed in one call, without a context of OpenSSL's to make and
    // free.
    private IncrementalHash? _hash;
    private int _filled;

    // Rows that another thread adds to the hash. What comes behind them is gathered, and added when it is done.
    private Task _rows = Task.CompletedTask;

    /// <param name="text">The whole text.</param>
    /// <param name="token">The token in it; it covers at least one byte.</param>
    /// <remarks>
    /// A line ending inside a token (a function's body, say) counts as LF: whether git checks a file out with LF or CR LF is no edit of it.
    /// </remarks>
    public void AddToken(ReadOnlySpan<byte> text, SqlToken token)
    {
        var bytes = text[token.Start..token.End];
        if (token.Length >= ShortestWithLineEnding && bytes.Contains((byte)'\r') && bytes.IndexOf("\r\n"u8) >= 0)
        {
            var unix = new byte[token.Length];
            var length = CopyWithUnixLineEndings(bytes, unix);
            AddToken(unix.AsSpan(0, length), token with { Start = 0, End = length });
            return;
        }

        // A continued string differs from two strings, which its bytes alone would not show.
        var header = ((uint)token.Length << 1) | (token.Kind == SqlTokenKind.StringContinuation ? 1u : 0u);
        var free = _buffer.AsSpan(_filled);
        var width = Vector128<byte>.Count;
        if (token.Length <= width && text.Length - token.Start >= width && free.Length > width)
        {
            // Nearly every token is this short. Copying sixteen bytes, of which the next token overwrites what is too much, is faster than
            // copying just enough.
            free[0] = (byte)header;
            Vector128.Create(text.Slice(token.Start, width)).CopyTo(free[1..]);
            _filled += 1 + token.Length;
            return;
        }

        AddHeader(header);
        Add(text[token.Start..token.End]);
    }

    private static int CopyWithUnixLineEndings(ReadOnlySpan<byte> bytes, Span<byte> into)
    {
        var length = 0;
        for (var next = bytes.IndexOf("\r\n"u8); next >= 0; next = bytes.IndexOf("\r\n"u8))
        {
            bytes[..next].CopyTo(into[length..]);
            length += next;
            bytes = bytes[(next + 1)..];
        }

        bytes.CopyTo(into[length..]);
        return length + bytes.Length;
    }

    public void EndStatement() => AddHeader(0);

    /// <summary>
    /// Takes the rows that follow a <c>COPY … FROM stdin</c>, with LF for CR LF (COPY takes both for the end of a row), and the end mark,
    /// which no row can be. Many rows are left to another thread: hashing them takes as long as all else that reading their file takes.
    /// </summary>
    public void AddCopyData(ReadOnlyMemory<byte> data)
    {
        if (data.Length < ManyRows)
        {
            EachPiece(data.Span, Add);
        }
        else
        {
            Flush();
            _rows = Task.Run(() => EachPiece(data.Span, _hash!.AppendData));
        }
    }

    private static void EachPiece(ReadOnlySpan<byte> data, Action<ReadOnlySpan<byte>> add)
    {
        for (var carriageReturn = data.IndexOf("\r\n"u8); carriageReturn >= 0; carriageReturn = data.IndexOf("\r\n"u8))
        {
            add(data[..carriageReturn]);
            data = data[(carriageReturn + 1)..];
        }

        add(data);
        add("\\.\n"u8);
    }

    /// <summary>64 hexadecimal digits in lower case; nothing may be added after this.</summary>
    public Task<string> FinishAsync() => _rows.IsCompleted ? Task.FromResult(Finish())
        : _rows.ContinueWith(_ => Finish(), TaskScheduler.Default);

    private string Finish()
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        var isNothing = _hash is null && _filled == 0;
        if (_hash is null && !isNothing)
        {
            SHA256.HashData(_buffer.AsSpan(0, _filled), hash);
        }
        else if (_hash is not null)
        {
            Flush();
            _hash.GetHashAndReset(hash);
            _hash.Dispose();
        }

        ArrayPool<byte>.Shared.Return(_buffer);
        return isNothing ? OfNothing : Convert.ToHexStringLower(hash);
    }

    /// <summary>Seven bits a byte, the lowest first; all but the last byte have the eighth bit set (LEB128).</summary>
    private void AddHeader(uint header)
    {
        if (_buffer.Length - _filled < LongestHeader)
        {
            Flush();
        }

        for (; header >= 0x80; header >>= 7)
        {
            _buffer[_filled++] = (byte)(header | 0x80);
        }

        _buffer[_filled++] = (byte)header;
    }

    private void Add(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _buffer.Length - _filled)
        {
            Flush();
            if (bytes.Length > _buffer.Length)
            {
                _hash!.AppendData(bytes);
                return;
            }
        }

        bytes.CopyTo(_buffer.AsSpan(_filled));
        _filled += bytes.Length;
    }

    private void Flush()
    {
        _rows.Wait();
        _hash ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        _hash.AppendData(_buffer, 0, _filled);
        _filled = 0;
    }
}
