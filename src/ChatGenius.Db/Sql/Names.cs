using System.Globalization;

namespace ChatGenius.Db.Sql;

/// <summary>How messages and suggested SQL write names.</summary>
internal static class Names
{
    /// <summary>With its schema, except in <c>public</c>, where everybody leaves it out.</summary>
    internal static string Qualified(string schema, string name) =>
        schema == "public" ? SqlIdentifier.Quote(name) : SqlIdentifier.Quote(schema, name);

    /// <summary>Column names for SQL, in the order given.</summary>
    internal static string Columns(IEnumerable<string> names) => string.Join(", ", names.Select(SqlIdentifier.Quote));

    /// <summary>A name made of parts, cut as PostgreSQL would cut it, and quoted where needed.</summary>
    internal static string Made(params ReadOnlySpan<string> parts) => SqlIdentifier.Quote(SqlIdentifier.Truncate(string.Join('_', parts)));

    /// <summary>A list in a sentence: <c>a, b and c</c>.</summary>
    internal static string List(IEnumerable<string> names)
    {
        var all = names.Distinct().ToList();
        return all.Count switch
        {
            0 => "",
            1 => all[0],
            _ => $"{string.Join(", ", all.Take(all.Count - 1))} and {all[^1]}",
        };
    }

    /// <summary>A count with its noun: <c>1 row</c>, <c>2,000 rows</c>.</summary>
    internal static string Count(long count, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} {noun}{(count == 1 ? "" : "s")}");
}
