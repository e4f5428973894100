using System.Text.RegularExpressions;

namespace ChatGenius.Tool;

/// <summary>The project's migrations and the database they are for.</summary>
internal sealed partial class Workspace(
    Settings settings, GlobalOptions options, TargetFinder targets, Shell shell, Report report) : IDisposable
{
    private Target? _target;
    private bool _isNamed;

    /// <summary>Whether the project's folder is not here in a job that nobody watches.</summary>
    public bool IsLost => !Directory.Exists(shell.Absolute(settings.MigrationsFolder)) && settings.File is null
        && shell.Variable("CI") is { } ci && !ci.Equals("false", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether what is read was written for another tool, whose downs may be empty: nothing of it will run.</summary>
    public bool TakesOver { get; set; }

    /// <summary>The repeatable objects that were read with the migrations, by name.</summary>
    public IReadOnlyList<Migration> Repeatables { get; private set; } = [];

    /// <summary>Reads every migration, and every repeatable object.</summary>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <param name="allOfANumber">As for <see cref="MigrationSource.Load"/>.</param>
    /// <exception cref="ProblemException">As <see cref="MigrationSource.Load"/>.</exception>
    public IReadOnlyList<Migration> Load(CancellationToken cancellationToken, bool allOfANumber = false) =>
        Load(allOfANumber, TakesOver || settings[SettingKey.Format].Value == "dbmate" ? long.MaxValue : 0, cancellationToken);

    /// <summary>The same; what is at or below a baseline was written for another tool, and may have empty downs. So may what ran with one
    /// when the baseline was there: a <c>reset</c> makes the folder no other.</summary>
    public async Task<IReadOnlyList<Migration>> LoadAsync(CancellationToken cancellationToken, bool allOfANumber = false)
    {
        try
        {
            return Load(cancellationToken, allOfANumber);
        }
        catch (ProblemException e) when (e.Problems.All(problem => problem.Kind == ProblemKind.Unfinished) && targets.Named() is not null)
        {
            var database = new Database(targets.Named()!.Value.Url);
            long upTo;
            try
            {
                upTo = await new Migrator(database, [], settings.RunOptions).WrittenForOthersAsync(cancellationToken)
                    ?? (await IsOfDbmateAsync(database, cancellationToken) ? long.MaxValue : 0);
            }
            catch (ProblemException none) when (none.Problems is [{ Kind: ProblemKind.NoDatabase }])
            {
                upTo = 0;
            }

            return Load(allOfANumber, upTo, cancellationToken);
        }
    }

    /// <summary>Whether dbmate has built a database, so that its files are not wrong there: to take it over comes first.</summary>
    private static async Task<bool> IsOfDbmateAsync(Database database, CancellationToken cancellationToken)
    {
        await using var session = await Session.OpenAsync(database, "looking for dbmate's table", cancellationToken);
        return (await ToolHistory.FindAsync(session, cancellationToken)).Any(table => table.Key == "dbmate");
    }

    private IReadOnlyList<Migration> Load(bool allOfANumber, long emptyDownsUpTo, CancellationToken cancellationToken)
    {
        IReadOnlyList<Migration> migrations;
        try
        {
            migrations = Repeatable.Together([settings.MigrationsFolder], () => MigrationSource.Load(
                settings.MigrationsFolder, settings.Bundle, settings.MigrationsFolderMustExist, allOfANumber,
                emptyDownsUpTo: emptyDownsUpTo, cancellationToken: cancellationToken), out var repeatables);
            Repeatables = repeatables;
        }
        catch (ProblemException) when (!_isNamed && OtherTool.Find(shell.WorkingDirectory, settings.MigrationsFolder) is { } other
            && (other.Name != "dbmate" || other.Folder.TrimEnd('/') != shell.Absolute(settings.MigrationsFolder).TrimEnd('/')))
        {
            // Its files are no migrations of ours, each of them for a reason of its own: what they are is the cause of all. dbmate's are
            // read as they are.
            report.Note(Named(other), label: "note");
            _isNamed = true;
            throw;
        }

        if (migrations.All(migration => migration.Origin == MigrationOrigin.Bundle))
        {
            SayWhatIsMissing();
        }

        RefuseOtherNames(migrations);

        return migrations;
    }

    /// <summary>What there is in the migrations folder instead of migrations; null where there is nothing.</summary>
    public string? PassedOver()
    {
        var folder = shell.Absolute(settings.MigrationsFolder);
        var below = new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2, IgnoreInaccessible = true };
        return !Directory.Exists(folder) ? null : OtherTool.Find(folder, folder) is { } other ? Named(other)
            : Directory.EnumerateFiles(folder, "*.sql", below).FirstOrDefault(file => Path.GetDirectoryName(file)
                != Path.Combine(folder, Repeatable.FolderName)) is { } file
            ? $"Files in folders below are passed over: {shell.Shown(file)}"
            : Directory.EnumerateFiles(folder).FirstOrDefault(file => SqlOfAnotherName().IsMatch(Path.GetFileName(file))) is { } foreign
            ? $"Only files whose names end in .sql are read: {shell.Shown(foreign)}" : null;
    }

    /// <summary>SQL under an ending that is not <c>.sql</c>.</summary>
    [GeneratedRegex(@"\.(?:[a-z]*sql|ddl)(?:\.[^.]+)?\z(?<!\.sql)|^[0-9]+[_-].*(?<!\.sql)\z", RegexOptions.IgnoreCase)]
    private static partial Regex SqlOfAnotherName();

    private string Named(OtherTool other) => $"This looks like {other.Name}'s migrations: {shell.Shown(other.Path)}. They are not read: "
        + (other.Import(shell, settings.MigrationsFolder) is { } import
            ? $"{import} writes them as files of ours, and a database that they have built is taken over with "
                + "'chatgenius-db baseline --detect'."
            : "a database that they have built is taken over with 'chatgenius-db baseline --detect', and "
                + "goes on with files of 'chatgenius-db new'.");

    /// <summary>In the wrong folder all is well, and nothing of the project is applied: what there is instead of its migrations is
    /// said.</summary>
    /// <exception cref="ProblemException">CG0320: under CI, where a folder of migrations further up says that this is the wrong
    /// one.</exception>
    private void SayWhatIsMissing()
    {
        var other = OtherTool.Find(shell.WorkingDirectory, settings.MigrationsFolder);
        var hint = other is null ? "" : $" {Named(other)}";
        if (Directory.Exists(shell.Absolute(settings.MigrationsFolder)))
        {
            if (other is not null)
            {
                report.Note($"There are no migrations in {settings.MigrationsFolder}.{hint}", label: "note");
            }

            return;
        }

        var above = settings.File is null ? FoundFile.FolderAbove(shell, "migrations") : null;
        if (above is not null && IsLost)
        {
            throw new ProblemException(
                "CG0320", $"There is no {settings.MigrationsFolder} here, and {above} is there",
                advice: $"Run in that folder's parent, or name it with --migrations {ToolCall.Quote(above)}.");
        }

        report.Note(
            $"There is no folder {settings.MigrationsFolder} here: only the bundled migrations count."
            + (above is null ? hint : $" {above} is there: run in its parent, or name it with --migrations."), label: "note");
    }

    /// <summary>
    /// Reads the migrations, and meanwhile finds the database and connects to it. What is wrong with a file is said first all the same, and
    /// before a server is started.
    /// </summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="allOfANumber">Whether all files of a number are read, where there are several.</param>
    /// <param name="create">Whether the database is created where it is not there.</param>
    public async Task<(IReadOnlyList<Migration> Migrations, Target Target)> OpenAsync(
        CancellationToken cancellationToken, bool allOfANumber = false, bool create = false)
    {
        var loading = Task.Run(() => LoadAsync(cancellationToken, allOfANumber), cancellationToken);
        try
        {
            if (targets.Named() is null)
            {
                await loading;
            }

            _target = await targets.FindAsync(cancellationToken);
            if (create)
            {
                await loading;
                await CreateMissingAsync(_target, cancellationToken);
            }

            _target.Database.ConnectAhead();
        }
        catch (ProblemException)
        {
            await loading;
            throw;
        }

        return (await loading, _target);
    }

    /// <summary>The database alone, for what asks no file: what was done to it can be looked at whatever is wrong with the files.</summary>
    public async Task<(Migrator Migrator, Target Target)> OpenHistoryAsync(CancellationToken cancellationToken)
    {
        _target = await targets.FindAsync(cancellationToken);
        _target.Database.ConnectAhead();
        return (new Migrator(_target.Database, [], settings.RunOptions), _target);
    }

    /// <summary>Who may connect to the database and to no other need not where it is there.</summary>
    private async Task CreateMissingAsync(Target target, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await target.Database.ConnectAsync(cancellationToken);
        }
        catch (ProblemException e) when (e.Problems is [{ Kind: ProblemKind.NoDatabase }])
        {
            if (await target.Database.CreateAsync(cancellationToken: cancellationToken))
            {
                report.Note($"Created {target.Url.Display}");
            }
        }
    }

    /// <inheritdoc cref="OpenAsync(CancellationToken, bool, bool)"/>
    public async Task<(Migrator Migrator, Target Target)> OpenAsync(
        MigratorOptions options, IProgress<MigrationEvent>? events, CancellationToken cancellationToken, bool allOfANumber = false)
    {
        var (migrations, target) = await OpenAsync(cancellationToken, allOfANumber);
        return (new Migrator(target.Database, migrations, options, events, Repeatables), target);
    }

    /// <summary>An id names one migration, and not whatever has its number now.</summary>
    private void RefuseOtherNames(IReadOnlyList<Migration> migrations)
    {
        foreach (var id in options.Migrations)
        {
            var files = migrations.Where(migration => migration.Version == OptionValues.ParseMigration(id)).ToList();
            if (OptionValues.MigrationName(id) is { } name && files.Count > 0 && files.TrueForAll(file => file.Name != name))
            {
                throw new ProblemException("CG0406", $"There is no migration {id}: {files[0].Version:D4} is {files[0].Id}",
                    advice: $"Name {files[0].Id} if that one is meant, or a migration by its number alone.");
            }
        }
    }

    /// <summary>Refuses to go on where the history names migrations of a folder that is not here.</summary>
    /// <exception cref="ProblemException">CG0320.</exception>
    public void Require(IReadOnlyList<MigrationStatus> statuses)
    {
        if (IsLost && statuses.FirstOrDefault(status => status.State == MigrationState.Missing || status.IsAnother) is { } missing)
        {
            throw new ProblemException(
                "CG0320", $"There is no {settings.MigrationsFolder} here, and "
                    + $"{missing.Version:D4}_{missing.Row?.Name ?? missing.Name} is applied",
                advice: "Run in the folder that has the project's migrations, or name it with --migrations.");
        }
    }

    public void Dispose() => _target?.Database.AbandonAhead();
}
