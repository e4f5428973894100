using System.Globalization;
using System.Text;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Templates;

/// <summary>From what follows <c>=</c> in a column argument to SQL.</summary>
internal static class ColumnDefault
{
    /// <summary>
    /// Writes a default. The shell takes the quotes of <c>status:text='open'</c> away, so a bare word is a string constant where the type
    /// is neither a number nor a boolean.
    /// </summary>
    /// <returns>The SQL, or null where the value can't be one of the type; then <paramref name="complaint"/> says why.</returns>
    public static string? Write(string value, string? type, ValueKind kind, out string complaint, out string advice)
    {
        (complaint, advice) = ("", "");
        if (IsExpression(value))
        {
            return value;
        }

        switch (type is not null && type.EndsWith(']') ? ValueKind.Other : kind)
        {
            case not ValueKind.Text when value.Length == 0:
                (complaint, advice) = ("The default is missing behind =", "As in count:int=0.");
                return null;
            case ValueKind.Number when IsNumber(value):
                return value;
            case ValueKind.Number when type != "MONEY":
                (complaint, advice) = ($"\"{value}\" is no number", "A number, or an expression with parentheses, as in count:int=0.");
                return null;
            case ValueKind.Boolean:
                (complaint, advice) = ($"\"{value}\" is neither true nor false", "As in pinned:boolean=false.");
                return value.ToUpperInvariant() switch
                {
                    "TRUE" or "T" or "YES" or "ON" or "1" => "true",
                    "FALSE" or "F" or "NO" or "OFF" or "0" => "false",
                    _ => null,
                };
            case ValueKind.Other when type == "UUID" && value.Count(char.IsAsciiHexDigit) != 32:
                (complaint, advice) = (
                    $"\"{value}\" is no UUID",
                    "32 hexadecimal digits, or an expression with parentheses, as in key:uuid=gen_random_uuid().");
                return null;
            case ValueKind.Time when value.Equals("now", StringComparison.OrdinalIgnoreCase):
                // A default of 'now' would be the time of the migration, for ever.
                return type == "DATE" ? "CURRENT_DATE" : "CURRENT_TIMESTAMP";
            default:
                return SqlLiteral.Quote(value);
        }
    }

    /// <summary>
    /// Whether a default may differ from row to row, so that adding the column with it rewrites the whole table under an exclusive lock
    /// (PostgreSQL, ALTER TABLE, Notes). The catalog isn't asked: a function that is not known to be steady counts as volatile.
    /// </summary>
    public static bool VariesByRow(string sql)
    {
        var text = Encoding.UTF8.GetBytes(sql);
        var tokens = StatementText.Read(text, new SqlLexer(text));
        return tokens.Zip(tokens.Skip(1)).Any(pair =>
            pair.Second.Kind == SqlTokenKind.OpenParenthesis && pair.First.Name is { } name && !Steady.Contains(name));
    }

    /// <summary>Functions that give one value in a whole statement, and what else a parenthesis may follow: types and operators.</summary>
    private static readonly HashSet<string> Steady =
    [
        "now", "transaction_timestamp", "statement_timestamp", "current_timestamp", "current_time", "localtimestamp", "localtime",
        "current_setting", "date_trunc", "timezone", "make_date", "make_interval", "lower", "upper", "coalesce", "nullif", "to_char",
        "to_jsonb", "jsonb_build_object", "jsonb_build_array", "md5",
        "numeric", "decimal", "varchar", "varying", "char", "character", "bpchar", "bit", "varbit", "interval", "timestamp", "timestamptz",
        "time", "timetz",
        "and", "or", "not", "in", "any", "array", "row", "case", "when", "then", "else", "cast",
    ];

    /// <summary>A string constant, a cast, a call, something in parentheses, NULL, or one of the words that stand for a value.</summary>
    private static bool IsExpression(string value)
    {
        if (value.Length == 0)
        {
            return false;
        }

        if (value[0] is '\'' or '(' || (value.Length > 1 && value[0] is 'E' or 'e' && value[1] == '\'')
            || value.Contains("::", StringComparison.Ordinal))
        {
            return true;
        }

        if (value.ToUpperInvariant() is "NULL" or "CURRENT_DATE" or "CURRENT_TIME" or "CURRENT_TIMESTAMP" or "LOCALTIME" or "LOCALTIMESTAMP"
            or "CURRENT_USER" or "SESSION_USER" or "CURRENT_ROLE" or "CURRENT_CATALOG" or "CURRENT_SCHEMA")
        {
            return true;
        }

        var call = value.IndexOf('(', StringComparison.Ordinal);
        return value[^1] == ')' && call > 0 && value[..call].All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.');
    }

    private const NumberStyles Number = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    private static bool IsNumber(string value) =>
        !char.IsWhiteSpace(value[0]) && !char.IsWhiteSpace(value[^1])
        && decimal.TryParse(value, Number, CultureInfo.InvariantCulture, out _);
}
