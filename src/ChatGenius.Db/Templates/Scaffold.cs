using ChatGenius.Db.Files;

namespace ChatGenius.Db.Templates;

/// <summary>What <c>new</c> was asked for.</summary>
/// <param name="Name">The migration's name as typed.</param>
/// <param name="Arguments">What stood behind it: columns, or whatever the template takes.</param>
internal sealed record ScaffoldRequest(string Name, IReadOnlyList<string> Arguments)
{
    /// <summary>The template by name; null lets the migration's name choose.</summary>
    public string? Template { get; init; }

    /// <summary>The values of <c>--set</c>, which come before what the migration's name says.</summary>
    public IReadOnlyDictionary<string, string> Set { get; init; } = new Dictionary<string, string>();

    /// <summary>The time that templates see; partitions start with its month.</summary>
    public DateTimeOffset Now { get; init; } = DateTimeOffset.UtcNow;
}

/// <summary>The migrations that a template made, in the order they are to be applied.</summary>
/// <param name="Template">The template.</param>
/// <param name="Reading">What the migration's name said.</param>
/// <param name="Migrations">At least one.</param>
/// <param name="Notices">What was decided without being asked, one line each, such as the type of a column.</param>
internal sealed record Scaffold(
    TemplateInfo Template, NameReading Reading, IReadOnlyList<ScaffoldedMigration> Migrations, IReadOnlyList<string> Notices);
