using System.Buffers;

namespace ChatGenius.Db.Sql;

internal ref partial struct SqlLexer
{
    private readonly int EndOfNumber(int i)
    {
        if (PeekAt(i) == '0' && (PeekAt(i + 1) | 0x20) is 'x' or 'o' or 'b')
        {
            var digits = i + 2;
            while (char.IsAsciiHexDigit((char)PeekAt(digits)) || (PeekAt(digits) == '_' && char.IsAsciiHexDigit((char)PeekAt(digits + 1))))
            {
                digits++;
            }

            if (digits > i + 2)
            {
                return digits;
            }
        }

        i = EndOfDigits(i);

        // In PL/pgSQL's 1..10 the dots are an operator.
        if (PeekAt(i) == '.' && PeekAt(i + 1) != '.')
        {
            i = EndOfDigits(i + 1);
        }

        if ((PeekAt(i) | 0x20) == 'e')
        {
            var exponent = PeekAt(i + 1) is (byte)'+' or (byte)'-' ? i + 2 : i + 1;
            if (IsDigit(exponent))
            {
                i = EndOfDigits(exponent);
            }
        }

        return i;
    }

    private readonly int EndOfDigits(int i)
    {
        while (IsDigit(i) || (PeekAt(i) == '_' && IsDigit(i + 1)))
        {
            i++;
        }

        return i;
    }

    /// <summary>
    /// As many operator characters as there are, up to the start of a comment. An operator ends with + or - only if it
    /// also has one of ~ ! @ # % ^ &amp; | ` ?, so that <c>a=-1</c> is three tokens.
    /// </summary>
    private int EndOfOperator(int start)
    {
        var text = _text;
        var end = start + 1;
        if (start < _signsEnd)
        {
            return end;
        }

        while ((uint)end < (uint)text.Length && Classes[text[end]] is Op or Minus or Slash)
        {
            var next = PeekAt(end + 1);
            if ((text[end] == '-' && next == '-') || (text[end] == '/' && next == '*'))
            {
                break;
            }

            end++;
        }

        if (end - start > 1 && text[end - 1] is (byte)'+' or (byte)'-' && text[start..end].IndexOfAny(LetsOperatorsEndInSigns) < 0)
        {
            _signsEnd = end;
            while (end - start > 1 && text[end - 1] is (byte)'+' or (byte)'-')
            {
                end--;
            }
        }

        return end;
    }

    private static readonly SearchValues<byte> LetsOperatorsEndInSigns = SearchValues.Create("~!@#%^&|`?"u8);

    private bool ReadLineComment(int start)
    {
        var length = _text[start..].IndexOfAny(LineEnds);
        return Found(SqlTokenKind.LineComment, start, length < 0 ? _text.Length : start + length);
    }

    private bool ReadBlockComment(int start)
    {
        var text = _text;
        var depth = 1;
        for (var i = start + 2; ;)
        {
            var next = text[i..].IndexOfAny((byte)'*', (byte)'/');
            if (next < 0)
            {
                return Found(SqlTokenKind.UnterminatedComment, start, text.Length);
            }

            i += next + 1;
            if (text[i - 1] == '*' && PeekAt(i) == '/')
            {
                i++;
                if (--depth == 0)
                {
                    return Found(SqlTokenKind.BlockComment, start, i);
                }
            }
            else if (text[i - 1] == '/' && PeekAt(i) == '*')
            {
                i++;
                depth++;
            }
        }
    }
}
