using System.Globalization;
using System.Numerics;

namespace ChatGenius.Db.Templates.Scriban;

internal sealed partial class ScribanLexer
{
    /// <summary>Beyond this, writing a number down takes a noticeable time: 1e999999999 is a denial of service.</summary>
    private const int MaxExponent = 400;

    private void ReadNumber()
    {
        var start = _position;
        if (_text[start] == '0' && Peek(start + 1) is 'x' or 'b')
        {
            ReadBinaryOrHexadecimal();
            return;
        }

        SkipWhile(c => char.IsAsciiDigit(c) || c == '_');
        var isFloat = false;

        // Two dots are a range: 1..5.
        if (Peek(_position) == '.' && Peek(_position + 1) != '.')
        {
            isFloat = true;
            _position++;
            SkipWhile(char.IsAsciiDigit);
        }

        if (Peek(_position) is 'e' or 'E')
        {
            ReadExponent(start);
        }

        var digits = _text[start.._position].Replace("_", "", StringComparison.Ordinal);
        var suffix = char.ToLowerInvariant(Peek(_position));
        if (suffix is 'f' or 'd' or 'm' && !IsIdentifierStart(Peek(_position + 1)) && !char.IsDigit(Peek(_position + 1)))
        {
            _position++;
            isFloat = true;
        }
        else
        {
            suffix = '\0';
        }

        Add(TokenKind.Number, start, ToNumber(digits, isFloat, suffix) ?? throw Error(start, _position, $"`{digits}` is not a number"));
    }

    private void ReadExponent(int start)
    {
        _position++;
        if (Peek(_position) is '+' or '-')
        {
            _position++;
        }

        var first = _position;
        SkipWhile(char.IsAsciiDigit);
        if (first == _position)
        {
            throw Error(start, _position, "A digit is expected after the exponent");
        }

        if (!int.TryParse(_text.AsSpan(first, _position - first), CultureInfo.InvariantCulture, out var exponent) || exponent > MaxExponent)
        {
            throw Error(start, _position, $"The exponent may be {MaxExponent} at most");
        }
    }

    private static object? ToNumber(string digits, bool isFloat, char suffix)
    {
        var culture = CultureInfo.InvariantCulture;
        if (!isFloat)
        {
            return BigInteger.TryParse(digits, NumberStyles.Integer | NumberStyles.AllowExponent, culture, out var integer)
                ? ScriptValue.FitInteger(integer)
                : null;
        }

        return suffix switch
        {
            'f' => float.TryParse(digits, NumberStyles.Float, culture, out var f) ? f : null,
            'm' => decimal.TryParse(digits, NumberStyles.Float, culture, out var m) ? m : null,
            _ => double.TryParse(digits, NumberStyles.Float, culture, out var d) ? d : null,
        };
    }

    /// <summary>Without a <c>u</c> behind, 32 and 64 bits are two's complement: 0xFFFFFFFF is -1.</summary>
    private void ReadBinaryOrHexadecimal()
    {
        var start = _position;
        var isHexadecimal = _text[start + 1] == 'x';
        _position += 2;
        SkipWhile(c => c == '_' || (isHexadecimal ? char.IsAsciiHexDigit(c) : c is '0' or '1'));
        var digits = _text[(start + 2).._position].Replace("_", "", StringComparison.Ordinal);
        if (digits.Length == 0)
        {
            throw Error(start, _position, "A digit is expected after " + _text[start..(start + 2)]);
        }

        var isUnsigned = Peek(_position) is 'u' or 'U';
        _position += isUnsigned ? 1 : 0;
        var style = isHexadecimal ? NumberStyles.AllowHexSpecifier : NumberStyles.AllowBinarySpecifier;
        var value = BigInteger.Parse("0" + digits, style, CultureInfo.InvariantCulture);
        Add(TokenKind.Number, start, isUnsigned || value > ulong.MaxValue ? ScriptValue.FitInteger(value)
            : value <= uint.MaxValue ? (object)unchecked((int)(uint)value)
            : unchecked((long)(ulong)value));
    }
}
