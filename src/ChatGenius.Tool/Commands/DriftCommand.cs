using ChatGenius.Db.Replay;
using ChatGenius.Db.Safety;
using ChatGenius.Db.Schema;

namespace ChatGenius.Tool.Commands;

internal sealed class DriftCommand(
    Workspace workspace, TargetFinder targets, DiffMigrations diff, Settings settings, Report report)
{
    internal static readonly Command Definition = new("drift", "Compare the database with what its migrations give")
    {
        Json = true,
        Configure = app =>
        {
            var shadow = app.Option("--shadow <URL>", "Server for the throw-away database [embedded]", CommandOptionType.SingleValue);
            var strict = app.Option("--strict", "What the server or its platform brings counts too", CommandOptionType.NoValue);
            var sql = app.Option("--sql", "Print the statements that would put the database back", CommandOptionType.NoValue);
            var adopt = app.Option("--adopt <NAME>", "Write migrations that make what the database has beyond them",
                CommandOptionType.SingleValue);
            var change = new SchemaChangeArguments(app);
            var read = new SchemaReadArguments(app);
            return Command.Handle<DriftCommand>((command, cancellationToken) =>
                command.RunAsync(shadow.Value(), strict.HasValue(), sql.HasValue(), adopt.Value(), change, read, cancellationToken));
        },
        Details =
            """
            Replays the applied migrations on a throw-away database and compares the two
            schemas. + is in the database and comes from no migration, - is missing there,
            ~ is another than the migrations make it. Exits with 1 where there are
            differences. The database itself is only read.

            The table of another tool that a baseline has taken over is passed over, and
            another order of columns is a note there.
            What no replay can have (owners, tablespaces, versions, privileges on what
            PostgreSQL or an extension brings) is a note, and in no statement of --sql
            and --adopt; with --strict it counts.
            """,
        Examples =
            """
            chatgenius-db drift
            chatgenius-db drift --env production --shadow postgres://localhost
            chatgenius-db drift --adopt add_what_was_made_by_hand
            """,
    };

    private async Task<ExitCode> RunAsync(
        string? shadow, bool strict, bool sql, string? adopt, SchemaChangeArguments change, SchemaReadArguments read,
        CancellationToken cancellationToken)
    {
        using var progress = new RunProgress(report);
        progress.Show("Comparing the database with its migrations");
        var (migrator, target) = await workspace.OpenAsync(settings.RunOptions, events: null, cancellationToken);
        var (statuses, repeatables) = await migrator.AllStatusAsync(cancellationToken);
        IReadOnlyList<Migration> applied = [.. Replayable(statuses), .. Replayable(repeatables)];
        var isTakenOver = statuses.Any(status => status.Row?.Details?.Origin == "baseline");
        var others = isTakenOver ? await migrator.FindToolsAsync(cancellationToken) : [];
        List<string> excluded = [.. change.Excluded, .. others.SelectMany(table => table.Patterns)];
        var options = read.Over(settings, sql || adopt is not null ? SchemaParts.Dependencies : 0);
        var actual = await SchemaReader.ReadAsync(target.Database, options, cancellationToken);
        if (adopt is not null)
        {
            RequireNothingPending(statuses);
            return await diff.WriteAsync(adopt, applied, actual.Schema, new(options, change.Options, excluded, strict, IsAdopted: true),
                shadow, new Numbering(DateTimeOffset.UtcNow), cancellationToken);
        }

        var timeZone = (await TableSizes.ReadServerAsync(target.Database, cancellationToken)).TimeZone;
        await using var replayed = await targets.Replayer(shadow, new ReplayOptions { TimeZone = timeZone })
            .OpenAsync(applied, cancellationToken: cancellationToken);
        var numbered = applied.Count(one => !one.IsRepeatable);
        report.Detail($"Replayed {PlanText.Count(numbered, applied.Count - numbered)} on {replayed.Database.Url.Display}");
        foreach (var reason in replayed.Missing)
        {
            report.Warn(new Problem(
                "CG1112", $"The replayed schema is not whole: {reason}",
                Advice: "What depends on it shows as a difference. Name a server that has it with --shadow."));
        }

        var expected = await SchemaReader.ReadAsync(replayed.Database, options, cancellationToken);
        SchemaDifferences.WarnOfVersions(report, actual.ServerVersion, expected.ServerVersion);
        var (should, @is) = (expected.Schema.Without(excluded), actual.Schema.Without(excluded));
        if (sql)
        {
            return change.Show(report, SchemaChanges.Between(@is, strict ? should : should.WithPlatformOf(@is), change.Options),
                "The database is what its migrations make it");
        }

        var differences = SchemaDiff.Between(should, @is);
        // A table that something else has made keeps the order in which its columns came.
        var notes = strict ? [] : differences.Where(d => d.IsOfPlatform || (isTakenOver && d.Fact == "order of columns")).ToList();
        foreach (var note in notes)
        {
            report.Note($"Only a note, for {(note.IsOfPlatform ? "it may come from the server" : "no statement changes it")}: {note}");
        }

        return SchemaDifferences.Show(
            report,
            [.. differences.Except(notes)],
            applied.Count == 0 ? "No migration is applied, and the database is empty" : "The database is what its migrations make it");
    }

    /// <summary>Files after those that are applied would run before the ones that are written, and were not looked at.</summary>
    private static void RequireNothingPending(IReadOnlyList<MigrationStatus> statuses)
    {
        if (statuses.FirstOrDefault(status => status.Row is null) is { } pending)
        {
            throw new ProblemException("CG1114", $"The migration {Id(pending)} is pending: what is written now would come after it",
                advice: $"Apply it first: {new ToolCall("apply")}.");
        }
    }

    /// <summary>The repeatable objects that ran, as their files have them: what a database has kept of their text is not run on a server of
    /// ours.</summary>
    private IEnumerable<Migration> Replayable(IReadOnlyList<RepeatableStatus> statuses)
    {
        foreach (var status in statuses.Where(one => one.State is RepeatableState.Changed or RepeatableState.Missing))
        {
            report.Warn(new Problem(
                "CG1108",
                status.State == RepeatableState.Missing ? $"The repeatable object {status.Name} ran, and its file is gone"
                    : $"The repeatable object {status.Name} was edited after it ran",
                Advice: "A difference may come from that."));
        }

        return statuses.Where(one => one.State is RepeatableState.Current or RepeatableState.Changed).Select(one => one.File!);
    }

    /// <summary>The migrations that the history names, as their files have them.</summary>
    private List<Migration> Replayable(IReadOnlyList<MigrationStatus> statuses)
    {
        var missing = statuses.Where(s => s.Row is not null && s.Migration is null).ToList();
        if (missing.Count > 0)
        {
            throw new ProblemException([.. missing.Select(s => new Problem(
                "CG1107",
                $"The migration {Id(s)} was applied, but its file is not there: it can't be replayed",
                Advice: "Bring the file back (--migrations names another folder), or take a baseline."))]);
        }

        foreach (var edited in statuses.Where(s => s is { State: MigrationState.Edited, Row: not null }))
        {
            report.Warn(new Problem(
                "CG1108",
                $"The migration {Id(edited)} was edited after it was applied: its present text is replayed",
                Advice: "A difference may come from the edit."));
        }

        foreach (var interrupted in statuses.Where(s => s.Interruption is not null))
        {
            report.Warn(new Problem(
                "CG1109",
                $"The migration {Id(interrupted)} was interrupted: what it has done so far shows as a difference",
                Advice: "Finish it with 'chatgenius-db apply' first."));
        }

        return [.. statuses.Where(s => s.Row is not null).Select(s => s.Migration!)];
    }

    private static string Id(MigrationStatus status) => $"{status.Version.ToString("D4", CultureInfo.InvariantCulture)}_{status.Name}";
}
