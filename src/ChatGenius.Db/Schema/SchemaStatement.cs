namespace ChatGenius.Db.Schema;

/// <summary>One statement that brings a schema closer to another.</summary>
/// <param name="Sql">Without a semicolon.</param>
internal sealed record SchemaStatement(string Sql)
{
    /// <summary>What a human has to decide before it runs; null where it is certain.</summary>
    public string? Question { get; init; }

    /// <summary>Whether the question is whether rows, values or an object are needed no more.</summary>
    public bool IsLoss => Question?.Contains(" needed no more", StringComparison.Ordinal) == true;

    /// <summary>Whether the question is another one's: it goes only if what needs it goes.</summary>
    internal bool Follows => Question?.EndsWith(" needs it", StringComparison.Ordinal) == true;

    /// <summary>Whether its question is that of another one, which drops what needs it.</summary>
    internal bool FollowsIt(SchemaStatement other) => other is { IsLoss: true } && other.Sql.Split(' ', 3) is ["DROP", _, var name]
        && Question!.EndsWith($" {name} needs it", StringComparison.Ordinal);

    /// <summary>A query that is true where the statement loses nothing and fails at no row; null where only a human can tell.</summary>
    internal string? SafeWhere { get; init; }

    /// <summary>The same in two: what is certain, and what the question is about; null where it can't be taken apart.</summary>
    internal (string Certain, string Asked)? Apart { get; init; }

    /// <summary>Whether the question only says what no statement can change.</summary>
    internal bool IsRemark { get; init; }

    /// <summary>Whether it has to run outside of a transaction block, or what follows needs it committed.</summary>
    public bool IsAlone { get; init; }

    /// <summary>The statement as a file has it: one that needs a human is a comment below its question.</summary>
    public override string ToString() => Question is null
        ? Sql + ";\n"
        : $"-- needs a human: {Question}\n-- {Sql.Replace("\n", "\n-- ", StringComparison.Ordinal)};\n";
}

/// <summary>How a difference becomes statements.</summary>
internal sealed record SchemaChangeOptions
{
    /// <summary>What has another name afterwards: <c>public.users</c> → <c>people</c>, <c>public.users.name</c> → <c>full_name</c>, quoted
    /// where needed.</summary>
    public IReadOnlyList<(string Old, string New)> Renames { get; init; } = [];

    /// <summary>Whether indexes are built and dropped concurrently.</summary>
    public bool Concurrently { get; init; } = true;

    /// <summary>Whether the database may be locked while it changes, so that the short forms do.</summary>
    public bool IsOffline { get; init; }
}
