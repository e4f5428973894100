using System.Collections.Frozen;
using System.Globalization;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Templates;

/// <summary>How a value of a type is written where it is alone, as after <c>status:text=</c>.</summary>
internal enum ValueKind
{
    /// <summary>A text: <c>open</c> means <c>'open'</c>.</summary>
    Text,

    /// <summary>A number.</summary>
    Number,

    /// <summary>true or false.</summary>
    Boolean,

    /// <summary>A date or time; <c>now</c> means the time of the insert.</summary>
    Time,

    /// <summary>Anything else that PostgreSQL reads from a string constant, such as JSON, an array or a type of one's own.</summary>
    Other,
}

/// <summary>PostgreSQL's built-in types, by the names that people type (chapter "Data Types"; aliases as in its table of types).</summary>
internal static class TypeNames
{
    private sealed record TypeName(string Sql, ValueKind Kind, Limit[] Limits, string Suffix = "");

    private readonly record struct Limit(long Least, long Most);

    private static readonly Limit[] None = [];
    private static readonly Limit[] Length = [new(1, 10_485_760)];
    private static readonly Limit[] Bits = [new(1, 83_886_080)];
    private static readonly Limit[] Fraction = [new(0, 6)];
    private static readonly Limit[] Digits = [new(1, 1000), new(-1000, 1000)];

    private static readonly FrozenDictionary<string, TypeName> Known = new Dictionary<string, TypeName>(StringComparer.Ordinal)
    {
        ["smallint"] = new("SMALLINT", ValueKind.Number, None),
        ["int2"] = new("SMALLINT", ValueKind.Number, None),
        ["integer"] = new("INTEGER", ValueKind.Number, None),
        ["int"] = new("INTEGER", ValueKind.Number, None),
        ["int4"] = new("INTEGER", ValueKind.Number, None),
        ["bigint"] = new("BIGINT", ValueKind.Number, None),
        ["int8"] = new("BIGINT", ValueKind.Number, None),
        ["numeric"] = new("NUMERIC", ValueKind.Number, Digits),
        ["decimal"] = new("NUMERIC", ValueKind.Number, Digits),
        ["real"] = new("REAL", ValueKind.Number, None),
        ["float4"] = new("REAL", ValueKind.Number, None),
        ["float"] = new("DOUBLE PRECISION", ValueKind.Number, None),
        ["float8"] = new("DOUBLE PRECISION", ValueKind.Number, None),
        ["double"] = new("DOUBLE PRECISION", ValueKind.Number, None),
        ["double precision"] = new("DOUBLE PRECISION", ValueKind.Number, None),
        ["money"] = new("MONEY", ValueKind.Number, None),
        ["oid"] = new("OID", ValueKind.Number, None),
        ["boolean"] = new("BOOLEAN", ValueKind.Boolean, None),
        ["bool"] = new("BOOLEAN", ValueKind.Boolean, None),
        ["text"] = new("TEXT", ValueKind.Text, None),
        ["string"] = new("TEXT", ValueKind.Text, None),
        ["name"] = new("NAME", ValueKind.Text, None),
        ["varchar"] = new("VARCHAR", ValueKind.Text, Length),
        ["character varying"] = new("VARCHAR", ValueKind.Text, Length),
        ["char"] = new("CHAR", ValueKind.Text, Length),
        ["character"] = new("CHAR", ValueKind.Text, Length),
        ["bpchar"] = new("BPCHAR", ValueKind.Text, Length),
        ["timestamp"] = new("TIMESTAMP", ValueKind.Time, Fraction),
        ["timestamp without time zone"] = new("TIMESTAMP", ValueKind.Time, Fraction),
        ["timestamptz"] = new("TIMESTAMP", ValueKind.Time, Fraction, " WITH TIME ZONE"),
        ["timestamp with time zone"] = new("TIMESTAMP", ValueKind.Time, Fraction, " WITH TIME ZONE"),
        ["date"] = new("DATE", ValueKind.Time, None),
        ["time"] = new("TIME", ValueKind.Time, Fraction),
        ["time without time zone"] = new("TIME", ValueKind.Time, Fraction),
        ["timetz"] = new("TIME", ValueKind.Time, Fraction, " WITH TIME ZONE"),
        ["time with time zone"] = new("TIME", ValueKind.Time, Fraction, " WITH TIME ZONE"),
        ["interval"] = new("INTERVAL", ValueKind.Other, Fraction),
        ["bit"] = new("BIT", ValueKind.Other, Bits),
        ["varbit"] = new("BIT VARYING", ValueKind.Other, Bits),
        ["bit varying"] = new("BIT VARYING", ValueKind.Other, Bits),
    }
        .Concat(
            ("bytea uuid json jsonb jsonpath xml cidr inet macaddr macaddr8 point line lseg box path polygon circle tsvector tsquery "
            + "int4range int8range numrange tsrange tstzrange daterange int4multirange int8multirange nummultirange tsmultirange "
            + "tstzmultirange datemultirange pg_lsn regclass regproc regprocedure regtype regrole regnamespace regconfig regdictionary "
            + "regoper regoperator regcollation")
            .Split(' ').Select(name => KeyValuePair.Create(name, new TypeName(name.ToUpperInvariant(), ValueKind.Other, None))))
        .ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Names that other tools know, with what to write instead.</summary>
    private static readonly FrozenDictionary<string, string> Elsewhere = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["serial"] = "integer:identity",
        ["serial4"] = "integer:identity",
        ["bigserial"] = "bigint:identity",
        ["serial8"] = "bigint:identity",
        ["smallserial"] = "smallint:identity",
        ["serial2"] = "smallint:identity",
        ["datetime"] = "timestamptz",
        ["blob"] = "bytea",
        ["binary"] = "bytea",
        ["tinyint"] = "smallint",
        ["number"] = "numeric",
        ["guid"] = "uuid",
        ["hash"] = "jsonb",
        ["belongs_to"] = "references",
        ["reference"] = "references",
        ["enum"] = "text, with a check or a lookup table",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Whether a type of PostgreSQL is called like this.</summary>
    public static bool IsKnown(string name) => Known.ContainsKey(name);

    /// <summary>What to write for a name that PostgreSQL has no type for; null where nothing comes to mind.</summary>
    public static string? Suggest(string name)
    {
        if (Elsewhere.TryGetValue(name, out var instead))
        {
            return instead;
        }

        var nearest = Known.Keys.Append("references").MinBy(known => Nearest.Distance(name, known))!;
        return Nearest.Distance(name, nearest) <= Math.Max(1, name.Length / 4) ? nearest : null;
    }

    /// <summary>Writes a known type with its modifiers as SQL.</summary>
    /// <param name="name">A name that <see cref="IsKnown"/>.</param>
    /// <param name="modifiers">The texts between the parentheses; null without parentheses.</param>
    /// <param name="sql">The SQL of the type.</param>
    /// <param name="kind">How its values are written.</param>
    /// <returns>What is wrong with the modifiers, or null.</returns>
    public static string? Write(string name, IReadOnlyList<string>? modifiers, out string sql, out ValueKind kind)
    {
        var type = Known[name];
        (sql, kind) = (type.Sql + type.Suffix, type.Kind);
        if (modifiers is null)
        {
            return null;
        }

        if (type.Limits.Length == 0)
        {
            return $"The type {name} takes no numbers in parentheses";
        }

        if (modifiers.Count > type.Limits.Length)
        {
            return $"The type {name} takes {(type.Limits.Length == 1 ? "one number" : "at most two numbers")} in parentheses";
        }

        for (var i = 0; i < modifiers.Count; i++)
        {
            var (least, most) = type.Limits[i];
            if (!long.TryParse(modifiers[i], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
                || value < least || value > most)
            {
                return $"The type {name} takes a whole number from {least} to {most} here, not \"{modifiers[i]}\"";
            }
        }

        sql = $"{type.Sql}({string.Join(", ", modifiers)}){type.Suffix}";
        return null;
    }
}
