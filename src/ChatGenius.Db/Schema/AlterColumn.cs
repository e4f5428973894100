using System.Globalization;

namespace ChatGenius.Db.Schema;

/// <summary>The statements that change a column of a table that is there before and after.</summary>
internal static class AlterColumn
{
    // What a type can become without a value that could not.
    private static readonly (string From, string[] To)[] Widens =
    [
        ("smallint", ["integer", "bigint", "numeric"]), ("integer", ["bigint", "numeric"]), ("bigint", ["numeric"]),
        ("real", ["double precision"]),
        ("character varying", ["text", "character varying"]), ("text", ["character varying"]), ("date", ["timestamp without time zone"]),
        ("inet", ["text"]), ("uuid", ["text"]), ("json", ["text"]), ("jsonb", ["text"]), ("boolean", ["text"]), ("name", ["text"]),
    ];

    /// <summary>Whether the column has to go and come again: an expression can't become another, nor a plain column one.</summary>
    internal static bool IsMadeAgain(ColumnFact a, ColumnFact b) =>
        b.Generated is not null && (a.Generated != b.Generated || TypeOf(a) != TypeOf(b));

    internal static string TypeOf(ColumnFact c) => SchemaSql.Join(c.Type, c.Collation);

    /// <summary>The statements, in an order that runs.</summary>
    /// <param name="o">The table after.</param>
    /// <param name="a">The column before.</param>
    /// <param name="b">The column after.</param>
    /// <param name="replaced">Whether its type keeps its name and is another.</param>
    /// <param name="follows">Whether it changes with that of the parent, which takes its default away where the type is another.</param>
    /// <param name="options">Whether the short forms do.</param>
    internal static IEnumerable<SchemaStatement> Change(
        SchemaObject o, ColumnFact a, ColumnFact b, bool replaced, bool follows, SchemaChangeOptions options)
    {
        var alter = $"ALTER {SchemaSql.Name(o)} ALTER COLUMN {b.QuotedName} ";
        var only = $"{SchemaSql.AlterOnly(o)} ALTER COLUMN {b.QuotedName} ";
        var getsType = TypeOf(a) != TypeOf(b) || replaced;
        var changesType = getsType && !follows;
        if (a.Generated is not null && b.Generated is null && !follows)
        {
            yield return new(alter + "DROP EXPRESSION");
        }

        if (a.Default is not null && (a.Default != b.Default || changesType) && !(getsType && follows))
        {
            yield return new((changesType ? alter : only) + "DROP DEFAULT");
        }

        if (changesType)
        {
            var isCertain = !replaced && IsWidening(a.Type, b.Type);
            var step = !replaced && Family(a.Type) == Family(b.Type) && Family(a.Type) != "" ? ""
                : a.Type.EndsWith("[]", StringComparison.Ordinal) && b.Type.EndsWith("[]", StringComparison.Ordinal) ? "::text[]"
                : "::text";
            yield return new($"{alter}TYPE {TypeOf(b)}{(isCertain ? "" : $" USING {b.QuotedName}{step}::{b.Type}")}")
            {
                Question =
                    isCertain ? null : $"can every value of {o.Name}.{b.QuotedName} become {(replaced ? "one of the new " : "")}{b.Type}?",
                SafeWhere = WithoutValues(o, b),
            };
        }

        if (b.Default is not null && (a.Default != b.Default || getsType))
        {
            yield return new(only + "SET " + b.Default);
        }

        foreach (var statement in NotNull(o, a, b, options).Concat(Identity(only, a, b)).Concat(Settings(only, a, b, getsType)))
        {
            yield return statement;
        }
    }

    /// <summary>A new column; where rows may be there and it has no value for them, that is a question.</summary>
    internal static SchemaStatement Add(SchemaObject o, ColumnFact c, string definition)
    {
        var add = $"ALTER {SchemaSql.Name(o)} ADD COLUMN {definition}";
        return c.NotNull is null || c.Default is not null || c.Generated is not null || c.Identity is not null || o.Kind == "foreign table"
            ? new SchemaStatement(add)
            : new SchemaStatement(add)
            {
                Question = $"what shall rows that are there have in {o.Name}.{c.QuotedName}, which is NOT NULL and has no default?",
                SafeWhere = $"SELECT NOT EXISTS (SELECT FROM {o.Name})",
                Apart = add.EndsWith(' ' + c.NotNull, StringComparison.Ordinal)
                    ? (add[..^(c.NotNull.Length + 1)], $"ALTER {SchemaSql.Name(o)} ALTER COLUMN {c.QuotedName} SET NOT NULL") : null,
            };
    }

    internal static SchemaStatement Drop(SchemaObject a, SchemaObject b, ColumnFact c)
    {
        var new_ = ColumnFact.Of(b).Where(n => n.Type == c.Type && a[n.Fact.Key] is null).Select(n => n.QuotedName).FirstOrDefault();
        return new($"ALTER {SchemaSql.Name(b)} DROP COLUMN {c.QuotedName}")
        {
            Question = c.Generated is not null || b.Kind == "foreign table" ? null
                : $"are the values of {b.Name}.{c.QuotedName} needed no more?"
                    + (new_ is null ? "" : $" (Or was it renamed: --rename {b.Name}.{c.QuotedName}={new_})"),
            SafeWhere = WithoutValues(b, c),
        };
    }

    /// <summary>Also where a value is a row of its own with nothing but NULL in it.</summary>
    private static string WithoutValues(SchemaObject o, ColumnFact c) =>
        $"SELECT NOT EXISTS (SELECT FROM {o.Name} WHERE {c.QuotedName} IS DISTINCT FROM NULL)";

    private static IEnumerable<SchemaStatement> NotNull(SchemaObject o, ColumnFact a, ColumnFact b, SchemaChangeOptions options)
    {
        var alter = $"ALTER {SchemaSql.Name(o)} ";
        if (a.NotNull == b.NotNull || (b.IsInherited && a.NotNull is not null && b.NotNull is null))
        {
            return [];
        }

        if (b.NotNull is null)
        {
            return [new($"{alter}ALTER COLUMN {b.QuotedName} DROP NOT NULL")];
        }

        var set = new SchemaStatement($"{alter}ALTER COLUMN {b.QuotedName} SET NOT NULL");
        if (options.IsOffline || o.Kind != "table" || o["partition of"] is not null || a.NotNull is not null)
        {
            return [set];
        }

        // A valid check spares SET NOT NULL the look at every row under its lock.
        var name = Sql.SqlIdentifier.Quote(Sql.SqlIdentifier.Truncate($"{b.QuotedName.Trim('"')}_is_not_null"));
        return
        [
            new($"{alter}ADD CONSTRAINT {name} CHECK ({b.QuotedName} IS NOT NULL) NOT VALID"), new($"{alter}VALIDATE CONSTRAINT {name}"),
            set,
            new($"{alter}DROP CONSTRAINT {name}"),
        ];
    }

    private static IEnumerable<SchemaStatement> Identity(string alter, ColumnFact a, ColumnFact b)
    {
        if (a.Identity == b.Identity || b.Identity is null)
        {
            return [];
        }

        if (a.Identity is null)
        {
            return [new($"{alter}ADD {b.Identity}")];
        }

        var always = b.Identity.StartsWith("GENERATED ALWAYS", StringComparison.Ordinal) ? "ALWAYS" : "BY DEFAULT";
        var options = AlterSql.Sequence($"AS {b.Type} {Clauses.Bracketed(b.Identity)}".TrimEnd());
        return [new($"{alter}SET GENERATED {always} {string.Join(' ', options.Select(o => "SET " + o))}")];
    }

    private static IEnumerable<SchemaStatement> Settings(string alter, ColumnFact a, ColumnFact b, bool changesType)
    {
        // With another type a column stores its values as that type does.
        if ((a.Storage != b.Storage || changesType) && b.Storage is not null)
        {
            yield return new($"{alter}SET {b.Storage}");
        }
        else if (a.Storage != b.Storage && !changesType)
        {
            var isMain = b.Type is "numeric" or "inet" or "cidr" || b.Type.StartsWith("numeric(", StringComparison.Ordinal);
            yield return new($"{alter}SET STORAGE {(isMain ? "MAIN" : "EXTENDED")}");
        }

        if ((changesType ? null : a.Compression) != b.Compression)
        {
            yield return new($"{alter}SET {b.Compression ?? "COMPRESSION default"}");
        }

        if (a.Statistics != b.Statistics)
        {
            yield return new($"{alter}SET {b.Statistics ?? "STATISTICS -1"}");
        }

        if (a.Options != b.Options)
        {
            if (a.Options is { } old)
            {
                yield return new(
                    $"{alter}RESET ({string.Join(", ", Clauses.Split(Clauses.Bracketed(old)!).Select(e => e.Split('=')[0]))})");
            }

            if (b.Options is { } options)
            {
                yield return new(alter + options);
            }
        }

        if (a.ForeignOptions != b.ForeignOptions)
        {
            yield return new($"{alter}OPTIONS ({AlterSql.ForeignOptions(Inner(a.ForeignOptions), Inner(b.ForeignOptions))})");
        }

        static string? Inner(string? clause) => clause is null ? null : Clauses.Bracketed(clause);
    }

    /// <summary>Types among which PostgreSQL has casts of its own; between others a value goes by its text.</summary>
    private static string Family(string type) => Parse(type).Name switch
    {
        "smallint" or "integer" or "bigint" or "numeric" or "real" or "double precision" => "number",
        "date" or "timestamp without time zone" or "timestamp with time zone" => "time",
        "json" or "jsonb" => "json",
        _ => "",
    };

    private static bool IsWidening(string from, string to)
    {
        var (oldName, oldSizes) = Parse(from);
        var (newName, newSizes) = Parse(to);
        if (oldName == newName && oldName is "character varying" or "numeric" or "bit varying" or "character")
        {
            return newSizes.Count == 0
                ? oldName != "character"
                : oldSizes.Count == newSizes.Count && newSizes.Zip(oldSizes).All(s => s.First >= s.Second)
                    && (oldSizes.Count < 2 || newSizes[0] - newSizes[1] >= oldSizes[0] - oldSizes[1]);
        }

        return newSizes.Count == 0 && oldName != newName && Widens.Any(w => w.From == oldName && w.To.Contains(newName));
    }

    private static (string Name, List<int> Sizes) Parse(string type) => Clauses.Bracketed(type) is { } sizes
        && !type.Contains('"', StringComparison.Ordinal)
        ? (type[..type.IndexOf('(', StringComparison.Ordinal)],
        [.. sizes.Split(',').Select(s => int.TryParse(s, CultureInfo.InvariantCulture, out var size) ? size : 0)])
        : (type, []);
}
