using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ChatGenius.Db.Sql;

/// <summary>
/// SHA-256 over the tokens of a script, fed while they are read. Each token goes in as its length and its bytes, and each
/// statement ends with a length that no token has, so that two different scripts can't give the same input.
/// </summary>
/// <remarks>The encoding is stored in people's databases: changing it would make every applied migration look edited.</remarks>
internal sealed class SqlChecksum : IDisposable
{
    private const int HeaderLength = sizeof(uint);
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    // Tokens are small and a call of the hash function is not: they are gathered here first.
    private readonly byte[] _buffer = new byte[16 * 1024];
    private int _filled;

    public void AddToken(ReadOnlySpan<byte> token, bool continuesString)
    {
        // A continued string differs from two strings, which its bytes alone would not show.
        AddHeader((uint)token.Length + (continuesString ? 0x8000_0000 : 0));
        Add(token);
    }

    public void EndStatement() => AddHeader(0);

    /// <summary>
    /// Takes the rows that follow a <c>COPY … FROM stdin</c>, with LF for CR LF (COPY takes both for the end of a row), and the end mark,
    /// which no row can be.
    /// </summary>
    public void AddCopyData(ReadOnlySpan<byte> data)
    {
        for (var carriageReturn = data.IndexOf("\r\n"u8); carriageReturn >= 0; carriageReturn = data.IndexOf("\r\n"u8))
        {
            Add(data[..carriageReturn]);
            data = data[(carriageReturn + 1)..];
        }

        Add(data);
        Add("\\.\n"u8);
    }

    /// <summary>64 hexadecimal digits in lower case.</summary>
    public string Finish()
    {
        Flush();
        return Convert.ToHexStringLower(_hash.GetHashAndReset());
    }

    public void Dispose() => _hash.Dispose();

    private void AddHeader(uint header)
    {
        if (_buffer.Length - _filled < HeaderLength)
        {
            Flush();
        }

        BinaryPrimitives.WriteUInt32LittleEndian(_buffer.AsSpan(_filled), header);
        _filled += HeaderLength;
    }

    private void Add(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _buffer.Length - _filled)
        {
            Flush();
            if (bytes.Length > _buffer.Length)
            {
                _hash.AppendData(bytes);
                return;
            }
        }

        bytes.CopyTo(_buffer.AsSpan(_filled));
        _filled += bytes.Length;
    }

    private void Flush()
    {
        _hash.AppendData(_buffer, 0, _filled);
        _filled = 0;
    }
}
