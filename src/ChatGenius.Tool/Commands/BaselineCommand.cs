using ChatGenius.Db.Replay;
using ChatGenius.Db.Schema;

namespace ChatGenius.Tool.Commands;

internal sealed class BaselineCommand(Workspace workspace, TargetFinder targets, Settings settings, Consent consent, Report report)
{
    private const int MostDifferences = 5;

    internal static readonly Command Definition = new("baseline", "Take over a database that something else built")
    {
        Json = true,
        Configure = app =>
        {
            var to = app.Option("--to <NUMBER>", "The last migration that the database has", CommandOptionType.SingleValue);
            var from = app.Option("--from <TOOL>", "What this tool's table says is applied", CommandOptionType.SingleValue);
            var detect = app.Option("--detect", "Replay the migrations and look how many are there", CommandOptionType.NoValue);
            var undo = app.Option("--undo", "Take back what a baseline has marked", CommandOptionType.NoValue);
            var force = app.Option("--force", "With --to: also where tables are not there", CommandOptionType.NoValue);
            var dryRun = app.Option("--dry-run", "Only say what would be marked", CommandOptionType.NoValue);
            var shadow = app.Option("--shadow <URL>", "Server for the throw-away database [embedded]", CommandOptionType.SingleValue);
            var yes = app.Option("-y|--yes", "Don't ask", CommandOptionType.NoValue);
            return Command.Handle<BaselineCommand>((command, cancellationToken) =>
            {
                RequireOne(to.HasValue() && !detect.HasValue(), from.HasValue(), detect.HasValue(), undo.HasValue());
                var request = new BaselineRequest(to.Migration(least: 1), Tool(from), force.HasValue(), dryRun.HasValue());
                return undo.HasValue() ? command.UndoAsync(dryRun.HasValue(), yes.HasValue(), cancellationToken)
                    : detect.HasValue() ? command.DetectAsync(request, shadow.Value(), yes.HasValue(), cancellationToken)
                    : command.MarkAsync(request, yes.HasValue(), cancellationToken);
            });
        },
        Details =
            $"""
            Writes migrations into the history without running them. Asks first; without a
            terminal it needs --yes.

            --detect replays the migrations one by one on a throw-away database, and says of
            each what the database has of it. Where all that they leave is there, it marks
            up to that number; where something differs, it exits with 1 and marks nothing,
            unless --to names the number too. --undo takes the marks back; the database
            stays as it is. --from takes versions, times and people from the table of
            {string.Join(", ", KnownTools[..6])},
            {string.Join(", ", KnownTools[6..^1])} or {KnownTools[^1]}.
            """,
        Examples =
            """
            chatgenius-db baseline --detect         find out what is there, and mark it
            chatgenius-db baseline --from dbmate    what dbmate has applied
            chatgenius-db baseline --to 5           0001 to 0005 are there already
            """,
    };

    private static string[] KnownTools => [.. Migrator.KnownTools];

    private static void RequireOne(params IReadOnlyCollection<bool> given)
    {
        if (given.Count(one => one) != 1)
        {
            throw given.Contains(true)
                ? new ProblemException("CG1007", "--to, --from, --detect and --undo exclude each other",
                    advice: "Leave all but one out; only --detect may have --to beside it.")
                : new ProblemException("CG1010", "baseline needs --detect, --from TOOL, --to NUMBER or --undo",
                    advice: $"{new ToolCall("baseline", "--detect")} finds out how many of the migrations the database has.");
        }
    }

    private static string? Tool(CommandOption option) => option.Value() is not { } text ? null
        : KnownTools.FirstOrDefault(name => name.Equals(text.Replace(' ', '-'), StringComparison.OrdinalIgnoreCase))
            ?? throw new ProblemException(
                "CG1006", $"--from can't be \"{text}\"",
                advice: $"Give one of {string.Join(", ", KnownTools)}; for any other tool, "
                    + $"{new ToolCall("baseline", "--detect")} looks what the database has.");

    private async Task<ExitCode> MarkAsync(BaselineRequest request, bool yes, CancellationToken cancellationToken)
    {
        workspace.TakesOver = true;
        var (migrator, target) = await workspace.OpenAsync(settings.RunOptions, events: null, cancellationToken);
        if (request.DryRun || !yes)
        {
            // What can't be marked is said before anybody is asked.
            var would = await migrator.BaselineAsync(request with { DryRun = true }, cancellationToken);
            if (request.DryRun)
            {
                return Show(would, target, "would be marked", "nothing");
            }
        }

        var what = request.From is { } tool ? $"what {tool} has applied" : $"the migrations up to {request.To:D4}";
        return await consent.AskAsync($"Mark {what} as applied on {Place(target)} without running it?", yes, cancellationToken)
            ? Show(await migrator.BaselineAsync(request, cancellationToken), target, "marked", "baselined")
            : ExitCode.Cancelled;
    }

    private string Place(Target target) =>
        settings.Environment is { } environment ? $"{target.Url.Display} ({environment.Value})" : target.Url.Display;

    private ExitCode Show(BaselineResult result, Target target, string verb, string done)
    {
        foreach (var migration in result.Marked)
        {
            report.Note($"{verb} {migration.Id}");
        }

        if (result.Tool is { } tool)
        {
            report.Note(tool.ToString());
            if (tool.WithoutFile.ToList() is { Count: > 0 } lost)
            {
                report.Note($"No file here has {string.Join(", ", lost.Take(MostDifferences).Select(row => row.Id))}"
                    + (lost.Count > MostDifferences ? $" and {lost.Count - MostDifferences} more" : ""), label: "note");
            }
        }

        report.Result(
            new DoneJson(result.Marked.Count == 0 ? "nothing" : done)
            {
                Database = target.Url.Display,
                Migrations = [.. result.Marked.Select(migration => new DoneMigrationJson(migration.Version, migration.Name, null, null))],
            },
            JsonContext.Readable.DoneJson);
        return Sum(result, verb);
    }

    private async Task<ExitCode> UndoAsync(bool dryRun, bool yes, CancellationToken cancellationToken)
    {
        var (migrator, target) = await workspace.OpenHistoryAsync(cancellationToken);
        var marked = await migrator.UnmarkAsync(dryRun: true, cancellationToken);
        if (marked.Count > 0 && !dryRun)
        {
            if (!await consent.AskAsync(
                $"Forget that {Plural.Of(marked.Count, "migration")} {(marked.Count == 1 ? "was" : "were")} marked as applied on "
                    + $"{Place(target)}? The database stays as it is.", yes, cancellationToken))
            {
                return ExitCode.Cancelled;
            }

            marked = await migrator.UnmarkAsync(cancellationToken: cancellationToken);
        }

        report.Result(
            new DoneJson(marked.Count == 0 || dryRun ? "nothing" : "unmarked")
            {
                Database = target.Url.Display,
                Migrations = [.. marked.Select(row => new DoneMigrationJson(row.Version, row.Name, null, null))],
            },
            JsonContext.Readable.DoneJson);
        report.Result(marked.Count == 0 ? "Nothing to do: no baseline has marked anything here"
            : $"{Plural.Of(marked.Count, "mark")} {(dryRun ? "would be " : "")}taken back");
        return ExitCode.Done;
    }

    private async Task<ExitCode> DetectAsync(BaselineRequest request, string? shadow, bool yes, CancellationToken cancellationToken)
    {
        workspace.TakesOver = true;
        var (migrations, target) = await workspace.OpenAsync(cancellationToken);
        var migrator = new Migrator(target.Database, migrations, settings.RunOptions);
        if (request.To is { } to)
        {
            migrator.RequireMigration(to);
        }

        var tables = await migrator.FindToolsAsync(cancellationToken);
        long[] seen = [.. (await migrator.StatusAsync(cancellationToken)).Where(status => status.Row is not null).Select(status =>
            status.Version)];
        Detection detection;
        using (var progress = new RunProgress(report))
        {
            progress.Show("Replaying the migrations, and comparing each with the database");
            detection = await Detector.DetectAsync(
                target.Database, targets.Replayer(shadow, new ReplayOptions()), migrations,
                new SchemaReadOptions { HistorySchema = settings.HistorySchema }, cancellationToken);
        }

        foreach (var table in tables.Where(table => table.Key is not null))
        {
            report.Note($"{table.Display} is {table.Tool}'s: {new ToolCall("baseline", "--from", table.Key!)} takes it over",
                label: "note");
        }

        Print(detection, target);
        var proposed = request.To ?? (detection.IsExact ? detection.Proposed?.Version : null);
        if (proposed is null || request.DryRun)
        {
            return detection.IsExact || request.To is not null ? ExitCode.Done : ExitCode.Differs;
        }

        return await consent.AskAsync(
            $"Mark the migrations up to {proposed:D4} as applied on {Place(target)} without running them?", yes, cancellationToken)
            ? Sum(await migrator.BaselineAsync(new BaselineRequest(proposed, Force: true, Seen: seen), cancellationToken), "marked")
            : ExitCode.Cancelled;
    }

    private ExitCode Sum(BaselineResult result, string verb)
    {
        report.Result(result.Marked.Count == 0 ? result.Tool is { } tool && tool.WithoutFile.Count() == tool.Rows?.Count
                ? "Nothing to do: no file here is one that the tool has applied" : "Nothing to do: the history has them all"
            : $"{Plural.Of(result.Marked.Count, "migration")} {verb} as applied");
        if (result.Marked.Count(one => one.StoredDown == Migration.EmptyDown) is > 0 and var empty
            && settings[SettingKey.Format].Value != "dbmate")
        {
            report.Note($"{Plural.Of(empty, "down section")} of them {(empty == 1 ? "is" : "are")} empty, which is taken for no way back "
                + "where they are marked. For other databases, and for what looks at none ('verify', 'script --offline'), write "
                + "\"format\": \"dbmate\" into chatgenius-db.json.", label: "note");
        }

        return ExitCode.Done;
    }

    private void Print(Detection detection, Target target)
    {
        var width = detection.Migrations.Select(one => one.Migration.Id.Length).DefaultIfEmpty(0).Max();
        foreach (var one in detection.Migrations)
        {
            report.Result($"{Cells.Pad(one.Migration.Id, width)}  {Say(one)}");
            var shown = one.State == DetectedState.Partly ? one.Differences : [];
            foreach (var difference in shown.Take(MostDifferences).Concat(
                shown.Count > MostDifferences ? [$"and {shown.Count - MostDifferences} more"] : []))
            {
                report.Result($"    {Cells.Tame(difference)}");
            }
        }

        report.Result(DetectionJson.Of(detection, target.Url.Display), JsonContext.Readable.DetectionJson);
        foreach (var reason in detection.Missing)
        {
            report.Warn(new Problem("CG1112", $"The replayed schema is not whole: {reason}",
                Advice: "What depends on it can't be seen. Name a server that has it with --shadow."));
        }

        var bundled = detection.Migrations.LastOrDefault(one => one.Migration.Origin == MigrationOrigin.Bundle)?.Migration;
        var isPartly = detection.Migrations is [{ State: DetectedState.Partly }, ..];
        report.Note(detection switch
        {
            { Proposed: { } last, IsExact: true } => $"The database is at {last.Id}",
            { Proposed: { } last } => $"The database is nearest to {last.Id}, and differs from it. If that is right, mark it with "
                + $"{new ToolCall("baseline", "--to", last.Id)}: 'drift' shows the differences from then on.",
            _ when isPartly => "The database has tables of these names, and is like no state that the migrations make. To go on from it as "
                + $"it is, mark them with {new ToolCall("baseline", "--to", (bundled ?? detection.Migrations[^1].Migration).Id, "--force")}"
                + $": {new ToolCall("drift", "--adopt", "as_it_was")} then writes the migration that makes what it has.",
            _ => "Nothing of these migrations is in the database",
        });
        if (!detection.IsExact && isPartly && detection.Proposed is { } nearest && nearest.Version < bundled?.Version)
        {
            report.Note("Where ChatGenius's own TypeScript migrations have built it, rows of theirs are in the place of the bundle's: mark "
                + $"it with {new ToolCall("baseline", "--to", bundled!.Id)} then", label: "note");
        }
    }

    private static string Say(DetectedMigration one) => one.State switch
    {
        DetectedState.There => "there",
        DetectedState.Partly => $"partly: {Plural.Of(one.Differences.Count, "difference")}",
        DetectedState.NotThere => "not there",
        DetectedState.Replaced => "replaced by later ones",
        DetectedState.RowsThere => $"rows only: there, {one.Differences[0]}",
        DetectedState.RowsNotThere => $"rows only: not there, {one.Differences[0]}",
        _ => "rows only: unknown",
    };
}

/// <summary>What <c>baseline --detect --json</c> prints.</summary>
/// <param name="Proposed">The last migration whose state is in the database; absent where nothing of them is.</param>
/// <param name="Exact">Whether nothing differs from it.</param>
internal sealed record DetectionJson(string Database, long? Proposed, bool Exact, IReadOnlyList<DetectedJson> Migrations)
{
    public static DetectionJson Of(Detection detection, string database) => new(
        database, detection.Proposed?.Version, detection.IsExact,
        [.. detection.Migrations.Select(one => new DetectedJson(
            one.Migration.Version, one.Migration.Name,
            one.State switch
            {
                DetectedState.There => "there",
                DetectedState.Partly => "partly",
                DetectedState.NotThere => "not_there",
                DetectedState.Replaced => "replaced",
                DetectedState.RowsThere => "rows_there",
                DetectedState.RowsNotThere => "rows_not_there",
                _ => "unknown",
            },
            one.Differences))]);
}

/// <param name="State"><c>there</c>, <c>partly</c>, <c>not_there</c>, <c>replaced</c>, <c>rows_there</c>, <c>rows_not_there</c> or
/// <c>unknown</c>.</param>
/// <param name="Differences">What is missing or is another.</param>
internal sealed record DetectedJson(long Version, string Name, string State, IReadOnlyList<string> Differences);
