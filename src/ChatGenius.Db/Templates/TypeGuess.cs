namespace ChatGenius.Db.Templates;

/// <summary>The type of a column that was given without one, by the habits of the project's own tables.</summary>
internal static class TypeGuess
{
    /// <summary>
    /// <c>…_id</c> refers to a table, <c>…_at</c> is a time, <c>…_on</c> a date, <c>…_count</c> a number that starts at 0,
    /// <c>is_…</c> and <c>has_…</c> are false at first; everything else is a text.
    /// </summary>
    public static ColumnSpec Complete(ColumnSpec column, bool nullable)
    {
        var name = column.Name;
        var guessed = name switch
        {
            _ when Ends("_id") =>
                column with { Type = "UUID", References = new ColumnReference(Inflection.Plural(name[..^3]), "id", "CASCADE") },
            _ when Ends("_at") => column with { Type = "TIMESTAMP WITH TIME ZONE" },
            _ when Ends("_on") => column with { Type = "DATE" },
            _ when Ends("_count") => column with { Type = "INTEGER", Default = column.Default ?? "0" },
            _ when name.StartsWith("is_", StringComparison.Ordinal) || name.StartsWith("has_", StringComparison.Ordinal) =>
                column with { Type = "BOOLEAN", Default = column.Default ?? "false" },
            _ => column with { Type = "TEXT" },
        };
        return guessed with { Nullable = column.Nullable || (nullable && guessed.Default is null) };

        bool Ends(string ending) => name.Length > ending.Length && name.EndsWith(ending, StringComparison.Ordinal);
    }
}
