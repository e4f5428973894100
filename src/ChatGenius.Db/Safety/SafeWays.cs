using System.Text.RegularExpressions;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Safety;

/// <summary>SQL of safe ways that several rules share. All of it runs as it is; what only a person knows is a comment.</summary>
internal static partial class SafeWays
{
    /// <summary>A change of a table's rows as a migration of its own that goes in batches.</summary>
    /// <param name="facts">The migration.</param>
    /// <param name="table">The table, as it is after the migration.</param>
    /// <param name="change">The statement, up to its WHERE.</param>
    /// <param name="condition">Which rows need it; null for all.</param>
    internal static string InBatches(MigrationFacts facts, Relation table, string change, string? condition = null)
    {
        var keys = facts.After.ConstraintsOf(table.Oid).FirstOrDefault(c => c.Kind == 'p')?.Keys ?? [];
        var columns = Names.Columns(keys.Select(number => facts.After.FindColumn(table.Oid, number)).OfType<Column>().Select(c => c.Name));
        var key = keys.Length == 1 ? columns : $"({columns})";
        return keys.IsEmpty
            ? $"-- {table.Display} has no primary key: batches need a unique key to go by"
            : $"""
            -- in a migration of its own
            -- migrate:up batch:{table.Display}
            {change}
            WHERE {(condition is null ? "" : $"{condition} AND ")}{key} BETWEEN :batch_first AND :batch_last;
            """;
    }

    /// <summary>An UPDATE or DELETE of one table, in batches; empty where its rows hang on other tables or on what it returns.</summary>
    internal static string InBatches(MigrationFacts facts, Relation table, StatementText text)
    {
        bool HasTop(params string[] words) => text.Tokens.Any(token => token.Depth == 0 && words.Any(token.Is));
        if ((!text.Is("UPDATE") && !text.Is("DELETE", "FROM")) || HasTop("RETURNING", "USING", "CURRENT")
            || (text.Is("UPDATE") && HasTop("FROM")))
        {
            return "";
        }

        var statement = text.Statement;
        var where = text.Tokens.ToList().FindIndex(token => token.Depth == 0 && token.Is("WHERE"));
        if (where < 0)
        {
            return InBatches(facts, table, statement.Text);
        }

        var (start, end) = text.PlaceOf(where);
        return InBatches(facts, table, statement.Source.Substring(statement.Start, start).TrimEnd(),
            $"({statement.Source.Substring(end, statement.End).Trim()})");
    }

    /// <summary>The rules of a domain, and of those that it is made of, as CHECK expressions over a column; NOT NULL among them.</summary>
    /// <param name="catalog">Where the domain is.</param>
    /// <param name="domain">The domain.</param>
    /// <param name="column">The column's name.</param>
    /// <param name="known">The rules that are left out.</param>
    internal static IEnumerable<string> ChecksOf(Catalog catalog, TypeInfo domain, string column, Catalog? known = null)
    {
        var name = SqlIdentifier.Quote(column);
        for (TypeInfo? level = domain; level is not null; level = catalog.Types.GetValueOrDefault(level.BaseType))
        {
            if (level.NotNull && known?.Types.GetValueOrDefault(level.Oid) is not { NotNull: true })
            {
                yield return $"CHECK ({name} IS NOT NULL)";
            }

            foreach (var rule in catalog.Constraints.Values.Where(c => c.Domain == level.Oid && c.Kind == 'c' && c.Validated)
                .Where(c => known?.Constraints.GetValueOrDefault(c.Oid) is not { Validated: true }).OrderBy(c => c.Oid))
            {
                yield return ValueOrText().Replace(rule.Definition, match => match.Value == "VALUE" ? name : match.Value);
            }
        }
    }

    /// <summary>Adds a column without the constraints that the migration gives it, but for NOT NULL.</summary>
    internal static string AddColumn(Relation table, Column column)
    {
        var filled = column.Identity is { } identity ? $" GENERATED {(identity == 'a' ? "ALWAYS" : "BY DEFAULT")} AS IDENTITY"
            : column.Generated is { } generated ? $" GENERATED ALWAYS AS ({column.Default}) {(generated == 'v' ? "VIRTUAL" : "STORED")}"
            : column.Default is { } value ? $" DEFAULT {value}" : "";
        return $"ALTER TABLE {table.Display} ADD COLUMN {SqlIdentifier.Quote(column.Name)} {column.Type}{filled}"
            + (column.NotNull && column.Identity is null ? " NOT NULL;" : ";");
    }

    /// <summary>A name made of parts that no relation of the schema has, as PostgreSQL chooses one: with a number.</summary>
    internal static string UnusedName(Catalog catalog, string schema, params string[] parts) =>
        Enumerable.Range(0, int.MaxValue).Select(n => string.Join('_', parts) + (n == 0 ? "" : $"{n}"))
            .Where(name => catalog.Find(schema, SqlIdentifier.Truncate(name)) is null).Select(name => Names.Made(name)).First();

    /// <summary>Adds CHECK constraints that bind new rows at once and are validated by another migration.</summary>
    internal static string AddChecks(Relation table, string column, IEnumerable<string> checks)
    {
        var named = checks.Select((check, i) =>
            (Name: i == 0 ? Names.Made(table.Name, column, "check") : Names.Made(table.Name, column, $"check{i}"), check)).ToList();
        return string.Join('\n', (string[])
        [
            .. named.Select(c => $"ALTER TABLE {table.Display} ADD CONSTRAINT {c.Name} {c.check} NOT VALID;"), "-- in the next migration",
            .. named.Select(c => $"ALTER TABLE {table.Display} VALIDATE CONSTRAINT {c.Name};"),
        ]);
    }

    // pg_get_constraintdef writes the keyword in capitals, and doubles every quote inside a string or a name.
    [GeneratedRegex("'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\\bVALUE\\b", RegexOptions.CultureInvariant)]
    private static partial Regex ValueOrText();
}
