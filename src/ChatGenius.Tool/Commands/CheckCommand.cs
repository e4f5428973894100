using System.Text;
using ChatGenius.Db.Replay;
using ChatGenius.Db.Safety;
using ChatGenius.Db.Text;
using Microsoft.Extensions.DependencyInjection;

namespace ChatGenius.Tool.Commands;

internal sealed class CheckCommand(Workspace workspace, TargetFinder targets, Settings settings, TraceRecords records,
    CheckFixes fixes, SchemaFile schemaFile, OlderTexts olderTexts, Shell shell, Report report)
{
    internal static readonly Command Definition = new("check", "Run pending migrations on a copy and say what they do")
    {
        Json = true,
        CalledElsewhere = ["lint", "analyze"],
        Configure = app =>
        {
            var options = new Options(app);
            var check = Command.Handle<CheckCommand>((command, cancellationToken) => command.RunAsync(options, cancellationToken));
            // The list is what somebody needs whose settings name a rule that there is not: it reads none.
            return (services, cancellationToken) => options.Rules ? List(services.GetRequiredService<Report>())
                : options.With is { } revision
                ? services.GetRequiredService<CheckWith>().RunAsync(revision, options.Shadow, cancellationToken)
                : check(services, cancellationToken);
        },
        Details =
            """
            Brings a throw-away database to the state before the pending migrations and runs
            them there, up, down and up again. PostgreSQL itself then says what they lock,
            rewrite, scan and leave behind. Nothing is run on your own database.

            A finding that was thought about is allowed in the file, with its reason:
                -- cgdb:allow drop-column(orders.note): not read since 4.2

            --with runs what only this side has and what only a git revision has, in both
            orders, on copies with made-up rows, and says what differs or fails: what a
            merge of the two would bring. Exits with 1 where the order matters.
            """,
        Examples =
            """
            chatgenius-db check                      what apply would run
            chatgenius-db check --since origin/main  files changed on this branch
            chatgenius-db check --target "$PROD"     table sizes of production count
            chatgenius-db check --sarif > check.sarif
            chatgenius-db check --with origin/main   before a merge: what order brings
            chatgenius-db check --fix                show the safe way as files, and ask
            chatgenius-db check --rules              every rule, with examples
            """,
    };

    private static Task<ExitCode> List(Report report)
    {
        report.Result(RulesPage.Write().TrimEnd('\n'));
        report.Result(RulesJson.Of(Hazards.All), JsonContext.Readable.RulesJson);
        return Task.FromResult(ExitCode.Done);
    }

    private async Task<ExitCode> RunAsync(Options options, CancellationToken cancellationToken)
    {
        var (failOn, failOnUnjudged) = options.FailOn(shell);
        if (options.Sarif && report.Json)
        {
            throw new ProblemException("CG1007", "--json and --sarif both want stdout", advice: "Leave one out.");
        }

        using var progress = new RunProgress(report);
        progress.Show("Checking migrations");
        var started = TimeProvider.System.GetTimestamp();
        await using var replayer = targets.Replayer(options.Shadow, new ReplayOptions());
        replayer.LookAhead(cancellationToken);
        var migrations = await workspace.LoadAsync(cancellationToken);
        var (chosen, database) = await ChooseAsync(options, migrations, cancellationToken);
        var sizes = await SizesAsync(options, database, cancellationToken);
        replayer.Options = new() { LockTimeout = $"{settings.RunOptions.LockTimeout.TotalMilliseconds:0}ms", TimeZone = sizes.TimeZone };
        var notes = new NoteProgress(report);
        var checker = new Checker(replayer, sizes) { Policy = settings.Check.Policy, Notes = notes, Steps = new DetailProgress(report) };
        IReadOnlyList<Migration> all = [.. migrations, .. Repeatable.InOrder(workspace.Repeatables, one => one.Up.Script).Ordered];
        var since = options.Staged ? "HEAD" : options.Since;
        var older = since is not null ? await olderTexts.OfRevisionAsync(since, cancellationToken)
            : database is null || options.All ? [] : await olderTexts.OfDatabaseAsync(database, migrations, cancellationToken);
        var results = await new ReplacedCheck(replayer, notes).RunAsync(
            all, older, await checker.RunAsync(all, chosen, Rows(options), cancellationToken), settings.Check.Policy, cancellationToken);
        var isOther = results.All(result => result.Trace.Completed)
            && await schemaFile.IsOtherAsync(replayer, [.. migrations, .. workspace.Repeatables], cancellationToken);
        await WriteAsync(options, results, TimeProvider.System.GetElapsedTime(started), cancellationToken);
        if (options.Fix)
        {
            var known = options.IsOfFiles ? targets.Named() : null;
            var pending = known is { Url: var url } ? await PendingAsync(new Database(url), migrations, cancellationToken) : chosen;
            var open = results.Where(one => !one.Migration.IsRepeatable && pending.Any(other => other.Version == one.Migration.Version));
            var found = await checker.FixAsync(migrations, [.. open], cancellationToken);
            progress.Dispose();
            await fixes.WriteAsync(found, options.Yes, cancellationToken);
        }

        var fails = results.SelectMany(result => result.Findings).Any(finding => finding.Allowed is null && finding.Severity >= failOn);
        return fails || isOther || (failOnUnjudged && results.Any(result => result.Unjudged > 0)) ? ExitCode.Differs : ExitCode.Done;
    }

    /// <summary>The migrations that are to be checked, and the database that they are for, where one is known.</summary>
    private async Task<(IReadOnlyList<Migration> Chosen, Database? Database)> ChooseAsync(
        Options options, IReadOnlyList<Migration> migrations, CancellationToken cancellationToken)
    {
        IReadOnlyList<Migration> all = [.. migrations, .. workspace.Repeatables];
        IReadOnlyList<Migration>? chosen = options.All ? all
            : options.Staged ? await Git.StagedAsync(all, shell, report, cancellationToken)
            : options.Since is { } revision ? await Git.ChangedSinceAsync(revision, all, shell, report, cancellationToken)
            : options.Shadow is not null && targets.Named() is null ? all
            : null;
        if (chosen is not null)
        {
            return (chosen, targets.Named()?.Url is { } named ? new Database(named) : null);
        }

        var target = await targets.FindAsync(cancellationToken);
        return (await PendingAsync(target.Database, migrations, cancellationToken), target.Database);
    }

    private async Task<IReadOnlyList<Migration>> PendingAsync(
        Database database, IReadOnlyList<Migration> migrations, CancellationToken cancellationToken)
    {
        var migrator = new Migrator(database, migrations, settings.RunOptions, null, workspace.Repeatables);
        var plan = await migrator.PlanAsync(new PlanRequest(AllowOutOfOrder: true, AllowMissing: true, Fresh: true), cancellationToken);
        return [.. plan.Ups.Concat(plan.Repeatables).Select(step => step.File)];
    }

    /// <summary>
    /// What is known of production: a file's or the target's table sizes, or no more than the version and time zone of the database.
    /// </summary>
    private async Task<TableSizes> SizesAsync(Options options, Database? known, CancellationToken cancellationToken)
    {
        if (options.SaveSizes is not null && options.Target is null)
        {
            throw new ProblemException("CG1007", "--save-sizes needs a database to ask", advice: "Name it with --target.");
        }

        var path = options.Sizes ?? settings.Check.Sizes;
        var sizes = options.Target is { } url ? await TableSizes.ReadAsync(new Database(targets.Parse(url, "--target")), cancellationToken)
            : path is not null ? TableSizes.Parse(path, await ReadAsync(path, cancellationToken))
            : known is not null ? await TableSizes.ReadServerAsync(known, cancellationToken) : TableSizes.Unknown;
        if (options.SaveSizes is { } save)
        {
            WriteFile(save, sizes.ToJson());
        }

        return sizes.On(settings.Check.Policy.ServerVersion);
    }

    private async Task<string> ReadAsync(string path, CancellationToken cancellationToken)
    {
        var text = await SourceText.ReadAsync(shell.Absolute(path), cancellationToken: cancellationToken);
        return text.All();
    }

    private RowSource? Rows(Options options) =>
        options.MadeUp ? new RowSource(Database: null)
        : !options.Data ? null
        : options.Target is { } url ? new RowSource(targets.Parse(url, "--target"))
        : new RowSource(targets.Named()?.Url);

    private async Task WriteAsync(Options options, IReadOnlyList<CheckResult> results, TimeSpan elapsed,
        CancellationToken cancellationToken)
    {
        var findings = results.SelectMany(result => result.Findings).ToList();
        if (options.Sarif)
        {
            report.Document(SarifLog.Write(findings, shell) + "\n");
        }
        else
        {
            CheckText.Write(report, results, elapsed);
            report.Result(CheckJson.Of(results, elapsed), JsonContext.Readable.CheckJson);
        }

        if (options.Html is { } html)
        {
            WriteFile(html, CheckPage.Write(results, elapsed));
        }

        if (options.GitLab is { } gitLab)
        {
            WriteFile(gitLab, GitLabReport.Write(findings, shell));
        }

        if (options.Markdown is { } markdown)
        {
            WriteFile(markdown, CheckMarkdown.Write(results, CheckText.Summary(results, elapsed)));
        }

        if (options.Certify)
        {
            Certify(results);
        }

        if (shell.Variable("GITHUB_ACTIONS") == "true")
        {
            GitHubAnnotations.Write(report, findings, shell);
        }
    }

    /// <summary>A migration with an error in it gets none: it is not what production should be held to.</summary>
    private void Certify(IReadOnlyList<CheckResult> results)
    {
        foreach (var result in results.Where(result => !result.Migration.IsRepeatable))
        {
            var hasErrors = result.Findings.Any(finding => finding is { Allowed: null, Severity: Severity.Error });
            if (!hasErrors && result.Record is { } record)
            {
                WriteFile(records.PathOf(result.Migration.Source), record.ToJson());
            }
            else if (result.Migration.Up.Transactional)
            {
                report.Note($"No certificate for {Path.GetFileNameWithoutExtension(result.Migration.Source.Path)}: "
                    + $"{(hasErrors ? "it has errors" : "it did not run to its end")}");
            }
        }
    }

    private void WriteFile(string path, string text)
    {
        try
        {
            WholeFile.Write(shell.Absolute(path), Encoding.UTF8.GetBytes(text), overwrite: true);
            report.Note($"Written to {path}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(
                "CG1208", $"{path} can't be written: {e.Message}", advice: "Check its path, its permissions and the space on its disk.",
                cause: e);
        }
    }

    private sealed class Options(CommandLineApplication app)
    {
        private readonly CommandOption _all =
            app.Option("--all", "Check every migration, not only pending ones", CommandOptionType.NoValue);
        private readonly CommandOption _since =
            app.Option("--since <REV>", "Check files changed against a git revision", CommandOptionType.SingleValue);
        private readonly CommandOption _with = app.Option(
            "--with <REV>", "Run what is new here and on a git revision, in both orders", CommandOptionType.SingleValue);
        private readonly CommandOption _shadow =
            app.Option("--shadow <URL>", "Server to make the throw-away database on", CommandOptionType.SingleValue);
        private readonly CommandOption _target =
            app.Option("--target <URL>", "Database whose table sizes count (read only)", CommandOptionType.SingleValue);
        private readonly CommandOption _data =
            app.Option("--data", "Copy the database's rows; without one, make rows up", CommandOptionType.NoValue);
        private readonly CommandOption _madeUp =
            app.Option("--made-up", "Make rows up, as many as the target has up to 10,000", CommandOptionType.NoValue);
        private readonly CommandOption _sarif = app.Option("--sarif", "Print SARIF 2.1.0 on stdout", CommandOptionType.NoValue);
        private readonly CommandOption _html = app.Option("--html <FILE>", "Write a page for people", CommandOptionType.SingleValue);
        private readonly CommandOption _staged = app.Option("--staged", "Check files staged in git", CommandOptionType.NoValue);
        private readonly CommandOption _sizes =
            app.Option("--sizes <FILE>", "Table sizes from a file, instead of --target", CommandOptionType.SingleValue);
        private readonly CommandOption _saveSizes =
            app.Option("--save-sizes <FILE>", "Keep the target's table sizes", CommandOptionType.SingleValue);
        private readonly CommandOption _gitLab =
            app.Option("--gitlab <FILE>", "Write a GitLab code quality report", CommandOptionType.SingleValue);
        private readonly CommandOption _markdown =
            app.Option("--markdown <FILE>", "Write a pull-request comment", CommandOptionType.SingleValue);
        private readonly CommandOption _failOn = app.Option(
            "--fail-on <error,warning,info,unjudged>", "Exit with 1 from this level on [error; under CI error,unjudged]",
                CommandOptionType.SingleValue);
        private readonly CommandOption _fix =
            app.Option("--fix", "Rewrite files the safe way, where it is mechanical", CommandOptionType.NoValue);
        private readonly CommandOption _yes = app.Option("-y|--yes", "Don't ask", CommandOptionType.NoValue);
        private readonly CommandOption _certify =
            app.Option("--certify", "Keep what was seen, for apply --certified", CommandOptionType.NoValue);
        private readonly CommandOption _rules = app.Option("--rules", "Print every rule with its examples", CommandOptionType.NoValue);

        public bool All => _all.HasValue();

        public string? Since => _since.Value();

        /// <exception cref="ProblemException">CG1007: beside an option that is about findings.</exception>
        public string? With => !_with.HasValue() || !(IsOfFiles || Fix || Sarif || Certify || Data || MadeUp || Target is not null
            || Html is not null || GitLab is not null || Markdown is not null) ? _with.Value()
            : throw new ProblemException("CG1007", "--with goes with --shadow and --json alone", advice: "Leave the others out.");

        /// <summary>Whether the files are chosen whatever a database has.</summary>
        public bool IsOfFiles => All || Staged || Since is not null;

        public bool Staged => _staged.HasValue();

        public string? Sizes => _sizes.Value();

        public string? SaveSizes => _saveSizes.Value();

        public string? GitLab => _gitLab.Value();

        public string? Markdown => _markdown.Value();

        public string? Shadow => _shadow.Value();

        public string? Target => _target.Value();

        public bool Data => _data.HasValue();

        public bool MadeUp => _madeUp.HasValue();

        public bool Sarif => _sarif.HasValue();

        public string? Html => _html.Value();

        public bool Fix => _fix.HasValue();

        public bool Yes => _yes.HasValue();

        public bool Certify => _certify.HasValue();

        public bool Rules => _rules.HasValue();

        /// <summary>A level, and whether what could not be judged counts: it does under CI where nothing else is said.</summary>
        public (Severity Level, bool Unjudged) FailOn(Shell shell)
        {
            if (_failOn.Value() is not { } text)
            {
                return (Severity.Error, shell.Variable("CI") is { Length: > 0 } ci
                    && !ci.Equals("false", StringComparison.OrdinalIgnoreCase));
            }

            var words = text.Split(',', StringSplitOptions.TrimEntries);
            Severity? level = words.Except(["unjudged"]).ToList() switch
            {
                [] or ["error"] => Severity.Error,
                ["warning"] => Severity.Warning,
                ["info"] => Severity.Info,
                _ => null,
            };
            return level is { } known ? (known, words.Contains("unjudged")) : throw new ProblemException(
                "CG1006", $"--fail-on can't be \"{text}\"",
                    advice: "Give one of error, warning, info, and unjudged after a comma or alone.");
        }
    }
}

/// <summary>What <c>check --json</c> prints.</summary>
/// <param name="Findings">Those that stand.</param>
/// <param name="Allowed">Those that a <c>cgdb:allow</c> covers.</param>
/// <param name="Migrations">The migrations checked.</param>
/// <param name="Unjudged">How many statements nothing is known of, and no <c>cgdb:allow</c> settles that.</param>
internal sealed record CheckJson(IReadOnlyList<FindingJson> Findings, IReadOnlyList<FindingJson> Allowed,
    IReadOnlyList<CheckedMigrationJson> Migrations,
    int Unjudged, long DurationMs)
{
    public static CheckJson Of(IReadOnlyList<CheckResult> results, TimeSpan elapsed) => new(
        [.. results.SelectMany(result => result.Findings).Where(finding => finding.Allowed is null).Select(FindingJson.Of)],
        [.. results.SelectMany(result => result.Findings).Where(finding => finding.Allowed is not null).Select(FindingJson.Of)],
        [.. results.Select(CheckedMigrationJson.Of)],
        results.Sum(result => result.Unjudged),
        (long)elapsed.TotalMilliseconds);
}

/// <param name="Id">Such as <c>L203</c>.</param>
/// <param name="Severity"><c>error</c>, <c>warning</c> or <c>info</c>.</param>
/// <param name="Evidence"><c>traced</c>, <c>catalog</c> or <c>text</c>.</param>
/// <param name="SafeWay">SQL that fits; absent where none can be given.</param>
/// <param name="Allowed">The reason of the <c>cgdb:allow</c> that covers it; absent where it stands.</param>
internal sealed record FindingJson(
    string Id, string Rule, string Severity, string Evidence, long Version, string File, int Line, int Column, string? Subject,
        string Message, IReadOnlyList<string> Facts,
    string Effect, string Advice, string? SafeWay, string Documentation, string? Allowed)
{
    public static FindingJson Of(Finding finding) => new(
        finding.Hazard.Id, finding.Hazard.Name, CheckText.Word(finding.Severity), finding.Evidence.ToString().ToLowerInvariant(),
            finding.Version, finding.Where.Path, finding.Where.Line,
        finding.Where.Column, finding.Subject.Length > 0 ? finding.Subject : null, finding.Message, finding.Facts, finding.Hazard.Effect,
            finding.Hazard.Advice,
        finding.SafeWay.Length > 0 ? finding.SafeWay : null, finding.Hazard.Documentation, finding.Allowed);
}

/// <param name="Restores">Whether down gives back what was there; absent where there is no way back or it could not be tried.</param>
internal sealed record CheckedMigrationJson(long Version, string Name, string File, bool? Restores,
    IReadOnlyList<CheckedStatementJson> Statements)
{
    public static CheckedMigrationJson Of(CheckResult result) => new(
        result.Migration.Version, result.Migration.Name, result.Migration.Source.Path, result.RoundTrip?.Restores,
        [.. result.Trace.Statements.Select(statement =>
            CheckedStatementJson.Of(statement, result.LocksOf(statement)))]);
}

/// <param name="Outcome"><c>ran</c>, <c>failed</c> or <c>not_run</c>.</param>
/// <param name="Reason">Why it was not run.</param>
internal sealed record CheckedStatementJson(
    int Line, int Column, string Outcome, string? Reason, IReadOnlyList<LockJson>? Locks, IReadOnlyList<string>? Rewritten,
        IReadOnlyList<string>? Scanned)
{
    public static CheckedStatementJson Of(StatementTrace trace, StatementLocks? locks)
    {
        var where = trace.Statement.Location;
        var outcome = trace.Outcome switch { TraceOutcome.Ran => "ran", TraceOutcome.Failed => "failed", _ => "not_run" };
        return new CheckedStatementJson(
            where.Line, where.Column, outcome, trace.Reason, locks is null || locks.Alone ? null
                : [.. locks.Locks.Select(l => new LockJson(l.Table, l.Mode.ToSql(), l.Mode.Blocks()))],
            locks?.Rewritten, locks?.Scanned);
    }
}

/// <param name="Mode">As PostgreSQL's documentation writes it.</param>
internal sealed record LockJson(string Table, string Mode, string Blocks);
