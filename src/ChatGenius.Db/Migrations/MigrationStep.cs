using ChatGenius.Db.Files;
using ChatGenius.Db.Migrations;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db;

/// <summary>One section to run.</summary>
public sealed record MigrationStep
{
    /// <param name="version">The migration's number.</param>
    /// <param name="name">Its description.</param>
    /// <param name="direction">Up or down.</param>
    /// <param name="section">The statements.</param>
    /// <param name="migration">The file; <c>null</c> where only the history still has the down section.</param>
    /// <param name="resume">Where an interrupted run of this section stopped, if one did.</param>
    internal MigrationStep(
        long version, string name, MigrationDirection direction, MigrationSection section, Migration? migration, Interruption? resume) =>
        (Version, Name, Direction, Section, Migration, Resume) = (version, name, direction, section, migration, resume);

    /// <summary>The step that runs a repeatable object.</summary>
    internal static MigrationStep Of(Migration repeatable) =>
        new(0, repeatable.Name, MigrationDirection.Up, repeatable.Up, repeatable, resume: null);

    /// <summary>The migration's number; 0 for a repeatable object.</summary>
    public long Version { get; }

    /// <summary>Its description; a repeatable object's is the name of its file, without <c>.sql</c>.</summary>
    public string Name { get; }

    /// <summary>Whether it is a repeatable object, not a migration.</summary>
    internal bool IsRepeatable => Version == 0;

    /// <summary>Up or down.</summary>
    public MigrationDirection Direction { get; internal init; }

    internal MigrationSection Section { get; init; }

    internal Migration? Migration { get; init; }

    internal Interruption? Resume { get; init; }

    /// <summary>Number and description, as in the file's name: <c>0001_initial_schema</c>.</summary>
    public string Id => Migration?.Id ?? (IsRepeatable ? Name : MigrationPlan.FormatId(Version, Name));

    /// <summary>The command that runs it, for the log.</summary>
    internal string Command { get => field ?? (Direction == MigrationDirection.Up ? "apply" : "rollback"); init; }

    /// <summary>Whether the section is the one that the history has kept, not the file's.</summary>
    public bool IsStored { get; init; }

    /// <summary>Whether it drops what a repeatable object made.</summary>
    internal bool TakesAway { get; init; }

    /// <summary>What its statements destroy and it keeps, as far as its tables are there when it is planned.</summary>
    internal IReadOnlyList<KeptPart> Keeps { get; init; } = [];

    /// <summary>Whether it applies again what was just rolled back.</summary>
    internal bool Redoes => Command == "redo" && Direction == MigrationDirection.Up;

    /// <summary>The statements that will run, counted from 0: an interrupted run has done those before them.</summary>
    internal IEnumerable<(int Index, SqlStatement Statement)> Left() =>
        Section.Script.Statements.Index().Skip((Resume?.Statement ?? 1) - 1);

    /// <summary>The file of an up section, which always has one.</summary>
    internal Migration File => Migration ?? throw new InvalidOperationException("Only a migration with a file is applied.");
}

/// <summary>What the caller wants of a plan to apply.</summary>
/// <param name="To">The last version to apply; <c>null</c> for all.</param>
/// <param name="AllowOutOfOrder">Also applies pending migrations that are older than the newest applied one.</param>
/// <param name="AllowMissing">Goes on although an applied migration's file is gone.</param>
/// <param name="Steps">How many at most, oldest first; <c>null</c> for all.</param>
/// <param name="Fresh">Applies beside tables of others, where the history never held a row, without asking what they are.</param>
public sealed record PlanRequest(
    long? To = null, bool AllowOutOfOrder = false, bool AllowMissing = false, int? Steps = null, bool Fresh = false)
{
    /// <summary>Which migrations belong to it, where batches have a job of their own.</summary>
    public BatchChoice Batches { get; init; }
}

/// <summary>Which migrations a plan to apply has, beside the order in which they come.</summary>
public enum BatchChoice
{
    /// <summary>All.</summary>
    All,

    /// <summary>Those before the first that goes in batches.</summary>
    None,

    /// <summary>Those in batches that come next; none where another one does.</summary>
    Only,
}

/// <summary>What the caller wants of a plan to roll back: exactly one of the three.</summary>
/// <param name="Steps">How many migrations, newest first; 1 or more.</param>
/// <param name="To">The version that is to be the newest afterwards; 0 for none.</param>
/// <param name="All">All of them.</param>
/// <param name="TrustStoredDown">Runs down sections of the history, although somebody may write there who has fewer rights than we.</param>
public sealed record RollbackRequest(int? Steps = null, long? To = null, bool All = false, bool TrustStoredDown = false);

/// <summary>What the caller wants of a plan to undo migrations and apply them again.</summary>
/// <param name="Steps">How many, newest first; 1 or more.</param>
/// <param name="Separately">Commits between undoing and applying, so that not all of it can be taken back.</param>
/// <param name="TrustStoredDown">As for <see cref="RollbackRequest"/>.</param>
internal sealed record RedoRequest(int Steps = 1, bool Separately = false, bool TrustStoredDown = false);
