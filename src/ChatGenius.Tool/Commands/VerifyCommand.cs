using ChatGenius.Db.Safety;
using ChatGenius.Db.Templates;

namespace ChatGenius.Tool.Commands;

internal sealed class VerifyCommand(Workspace workspace, SchemaFile schemaFile, Settings settings, Report report)
{
    internal static readonly Command Definition = new("verify", "Check all that can be checked without a database")
    {
        Json = true,
        CalledElsewhere = ["validate"],
        Configure = app =>
        {
            var strict = app.Option("--strict", "Names are snake_case too", CommandOptionType.NoValue);
            return Command.Handle<VerifyCommand>((command, cancellationToken) =>
                command.RunAsync(strict.HasValue(), cancellationToken));
        },
        Details =
            """
            Reads every migration: names and numbers, sections and their options, cgdb:
            comments, and the SQL as far as PostgreSQL's lexical rules go; the project's
            own templates; and whether the file of "schema_file" is of these migrations.
            All problems are printed together.
            """,
        Examples =
            """
            chatgenius-db verify                    the bundle and ./migrations
            chatgenius-db verify -m db --no-bundle  another folder alone
            """,
    };

    private async Task<ExitCode> RunAsync(bool strict, CancellationToken cancellationToken)
    {
        var problems = new List<Problem>();
        IReadOnlyList<Migration> migrations = [];
        var templates = 0;
        try
        {
            migrations = workspace.Load(cancellationToken);
            problems.AddRange(migrations.Concat(workspace.Repeatables).SelectMany(SafetyCheck.VerifyComments));
            problems.AddRange(migrations
                .Where(migration => strict && migration.Name.Any(c => char.IsAsciiLetterUpper(c) || c is '-' or ' '))
                .Select(migration => new Problem("CG0303", $"{migration.Source.Path}: the name is not snake_case",
                    Advice: $"Where it is applied nowhere, rename it: {MigrationName.Normalize(migration.Name)}.")));
            problems.AddRange(schemaFile.Stale([.. migrations, .. workspace.Repeatables]) is { } stale ? [stale] : []);
            if (migrations.All(migration => migration.Origin == MigrationOrigin.Bundle) && workspace.PassedOver() is { } instead)
            {
                problems.Add(new Problem("CG0326", $"There is no migration in {settings.MigrationsFolder}, and something else is",
                    Advice: instead));
            }
        }
        catch (ProblemException e)
        {
            problems.AddRange(e.Problems);
        }

        try
        {
            templates = new TemplateCatalog(settings.TemplatesFolder).Verify();
        }
        catch (ProblemException e)
        {
            problems.AddRange(e.Problems);
        }

        if (problems.Count > 0)
        {
            throw new ProblemException(problems);
        }

        Show(migrations, templates);
        return ExitCode.Done;
    }

    private void Show(IReadOnlyList<Migration> migrations, int templates)
    {
        foreach (var gap in Gaps(migrations))
        {
            report.Note(gap, label: "note");
        }

        if (migrations.Count(migration => migration.Down is { Irreversible: true, Script.Statements.Count: 0 }
            && migration.StoredDown != migration.Down.Text) is > 0 and var empty)
        {
            report.Note(
                $"{Plural.Of(empty, "down section")} {(empty == 1 ? "is" : "are")} empty, which is taken for no way back", label: "note");
        }

        var irreversible = migrations.Count(migration => migration.Down.Irreversible);
        report.Result($"{Plural.Of(migrations.Count, "migration")} verified{(irreversible == 0 ? "" : $", {irreversible} irreversible")}");
        if (workspace.Repeatables.Count > 0)
        {
            report.Result($"{Plural.Of(workspace.Repeatables.Count, "repeatable object")} verified");
        }

        if (templates > 0)
        {
            report.Result($"{Plural.Of(templates, "template")} verified");
        }

        report.Result(
            new VerifyJson([.. migrations.Select(m => new VerifiedJson(
                m.Version, m.Name, m.Origin.ToString()
                    .ToLowerInvariant(), m.Source.Path, m.Up.Script.Statements.Count, m.Up.Transactional, !m.Down.Irreversible))],
                workspace.Repeatables.Count == 0 ? null
                    : [.. workspace.Repeatables.Select(one => new VerifiedRepeatableJson(
                        one.Name, one.Source.Path, one.Up.Script.Statements.Count))]),
            JsonContext.Readable.VerifyJson);
    }

    /// <summary>Numbers that are left out between neighbours; a timestamp's neighbour is no neighbour.</summary>
    internal static IEnumerable<string> Gaps(IReadOnlyList<Migration> migrations)
    {
        const long SmallestTimestamp = 1_000_000_000;
        return migrations.Zip(migrations.Skip(1))
            .Where(pair => pair.Second.Version < SmallestTimestamp && pair.Second.Version > pair.First.Version + 1)
            .Select(pair => string.Create(CultureInfo.InvariantCulture,
                $"the numbers go from {pair.First.Version:D4} to {pair.Second.Version:D4}"));
    }
}

/// <summary>What <c>verify --json</c> prints; with problems it prints those instead.</summary>
/// <param name="Repeatables">Repeatable objects, by name; absent where there are none.</param>
internal sealed record VerifyJson(IReadOnlyList<VerifiedJson> Migrations, IReadOnlyList<VerifiedRepeatableJson>? Repeatables);

/// <param name="Name">The file's name, without <c>.sql</c>.</param>
internal sealed record VerifiedRepeatableJson(string Name, string Path, int Statements);

/// <param name="Origin"><c>bundle</c> or <c>folder</c>.</param>
/// <param name="Statements">How many its up section has.</param>
internal sealed record VerifiedJson(long Version, string Name, string Origin, string Path, int Statements, bool Transactional,
    bool Reversible);
