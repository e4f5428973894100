namespace ChatGenius.Db.Schema;

/// <summary>The parts of a column's fact, in the order in which <c>columns.sql</c> gives them; a clause is null where it does not apply.</summary>
internal readonly record struct ColumnFact(SchemaFact Fact)
{
    internal string Name => Fact.Parts[0]!;

    internal string QuotedName => Fact.Key["column ".Length..];

    internal string Type => Fact.Parts[1]!;

    internal string? Collation => Fact.Parts[2];

    /// <summary><c>OPTIONS (n_distinct=-0.5)</c></summary>
    internal string? Options => Fact.Parts[3];

    internal string? Storage => Fact.Parts[4];

    internal string? Compression => Fact.Parts[5];

    internal string? NotNull => Fact.Parts[6];

    /// <summary><c>DEFAULT now()</c></summary>
    internal string? Default => Fact.Parts[7];

    internal string? Generated => Fact.Parts[8];

    internal string? Identity => Fact.Parts[9];

    internal string? Statistics => Fact.Parts[10];

    internal bool IsInherited => Fact.Parts[11] is not null;

    internal string? ForeignOptions => Fact.Parts[12];

    internal static IEnumerable<ColumnFact> Of(SchemaObject o) => o.Of("column").Select(f => new ColumnFact(f));
}

/// <summary>The parts of a constraint's fact, in the order in which <c>constraints.sql</c> gives them.</summary>
internal readonly record struct ConstraintFact(SchemaFact Fact)
{
    internal string Name => Fact.Parts[0]!;

    internal string QuotedName => Fact.Key["constraint ".Length..];

    /// <summary><c>p</c> primary key, <c>u</c> unique, <c>x</c> exclusion, <c>c</c> check, <c>f</c> foreign key.</summary>
    internal char Type => Fact.Parts[1]![0];

    /// <summary>The quoted names of the columns, separated by commas; null for a check of no column.</summary>
    internal string? Columns => Fact.Parts[2];

    /// <summary>The qualified name of the table that a foreign key refers to.</summary>
    internal string? References => Fact.Parts[3];

    internal string? ReferencedColumns => Fact.Parts[4];

    internal string Definition => Fact.Parts[5]!;

    /// <summary><c>WITH (fillfactor=80)</c> of the index behind it.</summary>
    internal string? IndexOptions => Fact.Parts[6];

    internal string? IndexTablespace => Fact.Parts[7];

    internal bool IsNotValid => Definition.EndsWith(" NOT VALID", StringComparison.Ordinal);

    internal static IEnumerable<ConstraintFact> Of(SchemaObject o) => o.Of("constraint").Select(f => new ConstraintFact(f));
}
