using System.Globalization;
using System.Text.RegularExpressions;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Migrations;

/// <summary>What a change of a column's type does to its values.</summary>
internal static partial class LossTypes
{
    /// <summary>A type as <c>format_type</c> writes it, as far as <see cref="Keep"/> knows types.</summary>
    internal static string At(StatementText text, int start, int end)
    {
        var words = new List<string>();
        for (var i = start; i < end; i++)
        {
            var token = text.Tokens[i];
            if (token.Kind == SqlTokenKind.OpenParenthesis && words.Count > 0)
            {
                var close = text.Closing(i);
                words[^1] += string.Concat(text.Tokens.Take(close + 1).Skip(i).Select(part => part.Text));
                i = close;
            }
            else if (!(token.Name == "pg_catalog" || (token.Is(".") && words.Count == 0)))
            {
                words.Add(token.Name ?? token.Text);
            }
        }

        var type = FirstWord().Replace(string.Join(' ', words), first => first.Value switch
        {
            "int" or "int4" => "integer",
            "int8" => "bigint",
            "int2" => "smallint",
            "varchar" => "character varying",
            "char" => "character",
            "decimal" or "dec" => "numeric",
            "float4" => "real",
            "float8" or "float" => "double precision",
            "bool" => "boolean",
            var other => other,
        });
        return type.Replace("char varying", "character varying", StringComparison.Ordinal).Replace("character character", "character",
            StringComparison.Ordinal);
    }

    /// <summary>Whether every value of a type has its own value in another: only where that is certain.</summary>
    internal static bool Keep(string from, string to)
    {
        if (from == to && from.Length > 0)
        {
            return true;
        }

        string[] integers = ["smallint", "integer", "bigint", "numeric"];
        var (old, oldSize, oldScale) = Sizes(from);
        var (now, size, scale) = Sizes(to);
        return (old, now) switch
        {
            (_, "text") or (_, "character varying") when size is null && now is "text" or "character varying" =>
                integers.Contains(old) || old is "text" or "character varying" or "uuid" or "date" or "boolean",
            ("character varying", "character varying") => oldSize <= size,
            ("numeric", "numeric") => size is null || (oldSize is not null && scale >= oldScale && size - scale >= oldSize - oldScale),
            ("real", "double precision") => true,
            _ when size is null && oldSize is null => Array.IndexOf(integers, old) is >= 0 and var rank
                && rank < Array.IndexOf(integers, now),
            _ => false,
        };
    }

    private static (string Name, int? Size, int Scale) Sizes(string type)
    {
        var parts = SizedType().Match(type);
        return parts.Success
            ? (parts.Groups[1].Value, Number(2), Number(3) ?? 0)
            : (type, null, 0);

        int? Number(int group) => parts.Groups[group].Success ? int.Parse(parts.Groups[group].Value, CultureInfo.InvariantCulture) : null;
    }

    [GeneratedRegex("^[a-z0-9]+")]
    private static partial Regex FirstWord();

    [GeneratedRegex(@"^([a-z ]+?)(?:\((\d+)(?:,(\d+))?\))?$")]
    private static partial Regex SizedType();
}
