using ChatGenius.Db.Replay;
using ChatGenius.Db.Schema;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool;

/// <summary>A schema that a command line names.</summary>
/// <param name="ServerVersion">The major version; null where it comes from a file.</param>
internal sealed record NamedSchema(SchemaSnapshot Schema, int? ServerVersion);

/// <summary>Reads schemas: a database's, a dump's, or what the migrations make.</summary>
internal sealed class SchemaSources(Workspace workspace, TargetFinder targets, Settings settings, Shell shell)
{
    private const string Migrations = "migrations";
    private const string GitRevision = "git:";

    /// <summary>Reads one.</summary>
    /// <param name="text">
    /// A URL or keywords; <c>migrations</c>, <c>migrations:NUMBER</c> for those up to a number, <c>git:REVISION</c> for those of a
    /// revision; else a file.
    /// </param>
    /// <param name="label">What a problem calls it.</param>
    /// <param name="shadow">Where migrations are replayed; null for the private server.</param>
    /// <param name="options">What counts.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<NamedSchema> ReadAsync(
        string text, string label, string? shadow, SchemaReadOptions options, CancellationToken cancellationToken)
    {
        if (text == Migrations || text.StartsWith($"{Migrations}:", StringComparison.Ordinal)
            || text.StartsWith(GitRevision, StringComparison.Ordinal))
        {
            var chain = await ChainAsync(text, cancellationToken);
            await using var database = await targets.Replayer(shadow, new ReplayOptions())
                .OpenAsync(chain, cancellationToken: cancellationToken);
            return await ReadAsync(database.Database, options, cancellationToken);
        }

        // What has neither a scheme nor a keyword is a path; so is whatever is there.
        var path = shell.Absolute(text);
        if (File.Exists(path) || !(text.Contains("://", StringComparison.Ordinal) || text.Contains('=', StringComparison.Ordinal)))
        {
            return new(SchemaSnapshot.Parse(await SourceText.ReadAsync(shell.Shown(path), mayStream: true, cancellationToken)), null);
        }

        return await ReadAsync(new Database(targets.Parse(text, label)), options, cancellationToken);
    }

    /// <summary>The project's folder.</summary>
    public string Folder => settings.MigrationsFolder;

    /// <summary>The repeatable objects of a git revision alone.</summary>
    /// <inheritdoc cref="OfRevisionAsync" path="/exception"/>
    public Task<IReadOnlyList<Migration>> RepeatablesAsync(string revision, CancellationToken cancellationToken) =>
        ExportedAsync(revision, withRepeatables: true, _ => [], cancellationToken);

    /// <summary>The migrations of a git revision.</summary>
    /// <param name="revision">The revision.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="withRepeatables">Whether the repeatable objects come after them.</param>
    /// <exception cref="ProblemException">CG1212: git can't be run, or knows no such revision; and those of the files.</exception>
    public Task<IReadOnlyList<Migration>> OfRevisionAsync(
        string revision, CancellationToken cancellationToken, bool withRepeatables = false) => ExportedAsync(
        revision, withRepeatables, folder => MigrationSource.Load(
            folder, settings.Bundle, emptyDownsUpTo: long.MaxValue, cancellationToken: cancellationToken),
        cancellationToken);

    private async Task<IReadOnlyList<Migration>> ExportedAsync(
        string revision, bool withRepeatables, Func<string, IReadOnlyList<Migration>> load, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("chatgenius-db-");
        try
        {
            await Git.ExportAsync(
                revision, shell.Absolute(settings.MigrationsFolder), folder.FullName, withRepeatables, cancellationToken);
            return
            [
                .. Repeatable.Together([folder.FullName], () => load(folder.FullName), out var repeatables),
                .. repeatables,
            ];
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Reads the configured database's.</summary>
    public async Task<NamedSchema> ReadTargetAsync(SchemaReadOptions options, CancellationToken cancellationToken) =>
        await ReadAsync((await targets.FindAsync(cancellationToken)).Database, options, cancellationToken);

    private static async Task<NamedSchema> ReadAsync(Database database, SchemaReadOptions options, CancellationToken cancellationToken)
    {
        var (schema, version) = await SchemaReader.ReadAsync(database, options, cancellationToken);
        return new(schema, version);
    }

    private async Task<IReadOnlyList<Migration>> ChainAsync(string text, CancellationToken cancellationToken)
    {
        if (text.StartsWith(GitRevision, StringComparison.Ordinal))
        {
            return await OfRevisionAsync(text[GitRevision.Length..], cancellationToken, withRepeatables: true);
        }

        var migrations = await workspace.LoadAsync(cancellationToken);
        if (text == Migrations)
        {
            return [.. migrations, .. workspace.Repeatables];
        }

        var number = OptionValues.ParseMigration(text[(Migrations.Length + 1)..]) ?? throw new ProblemException(
            "CG1006", $"{text}: there is no number after migrations:", advice: "As in migrations:7.");
        return [.. MigrationPlan.Apply(migrations, HistorySnapshot.Empty, new PlanRequest(number)).Steps.Select(step => step.Migration!)];
    }
}
