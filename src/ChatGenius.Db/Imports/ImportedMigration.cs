namespace ChatGenius.Db.Imports;

/// <summary>A migration of another tool, as it was read.</summary>
/// <param name="Source">The file, as the user named its folder.</param>
/// <param name="Version">Its number as the other tool writes it: <c>1.2</c>, <c>0000</c>; empty where it has none.</param>
/// <param name="Name">snake_case, as <see cref="NameOf"/> makes it.</param>
/// <param name="Up">The statements that bring the change.</param>
/// <param name="Down">What takes it back; null, or without statements, where nothing does.</param>
/// <param name="UpInTransaction">Whether the first run in one transaction.</param>
/// <param name="DownInTransaction">Whether the second do.</param>
internal sealed record ImportedMigration(
    string Source, string Version, string Name, string Up, string? Down, bool UpInTransaction = true, bool DownInTransaction = true)
{
    /// <summary>What the other tool's own table has of it, where that is not the version.</summary>
    public string Key { get; init; } = Version;

    /// <summary>What the file is called in its folder, for those who look for it later.</summary>
    public string Origin { get; init; } = Path.GetFileName(Source);

    /// <summary>What its author says of there being no way back, as a comment.</summary>
    public string? WhyNoDown { get; init; }

    /// <summary>Why it can't be carried over; then the texts are a draft that no run gets past.</summary>
    public Problem? Refused { get; init; }

    /// <summary>Brings what another tool takes for a name into snake_case. Nothing is refused: the file says what it was called.</summary>
    public static string NameOf(string text)
    {
        var words = string.Concat(text.Select(c => char.IsAsciiLetterOrDigit(c) ? c : ' ')).Trim();
        return words.Length == 0 ? "migration" : Files.MigrationName.Normalize(words[..Math.Min(words.Length, 120)]);
    }
}

/// <summary>What was read from another tool's folder.</summary>
/// <param name="Migrations">In the order in which that tool applies them.</param>
/// <param name="Problems">What can't be carried over; while there is any, nothing is written.</param>
internal sealed record ImportedFolder(IReadOnlyList<ImportedMigration> Migrations, IReadOnlyList<Problem> Problems)
{
    /// <summary>What the tool runs after the migrations, again whenever it changes; without a version and a down.</summary>
    public IReadOnlyList<ImportedMigration> Repeatables { get; init; } = [];

    /// <summary>What is to be said beside it: files that are no migrations, and the like.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}
