namespace ChatGenius.Db.Imports;

/// <summary>One direction of a migration that was read.</summary>
/// <param name="Text">Its statements; of a refused one, those before the place.</param>
/// <param name="Empty">Why it has no statement; null where it has one, or would have.</param>
internal sealed record TypeScriptSection(string Text, string? Empty)
{
    /// <summary>Whether they run in one transaction.</summary>
    public bool InTransaction { get; init; } = true;

    /// <summary>Where the last call is, if nothing waits for it; it is sent all the same.</summary>
    public int? NotAwaited { get; init; }

    /// <summary>Why it can't be read.</summary>
    public TypeScriptRefusal? Refusal { get; init; }

    /// <summary>From where to where the file is not read.</summary>
    public (int Start, int End) StopsAt { get; init; }
}

/// <summary>A migration that was read; null twice where the file has none.</summary>
internal sealed record TypeScriptMigration(TypeScriptSection? Up, TypeScriptSection? Down);
