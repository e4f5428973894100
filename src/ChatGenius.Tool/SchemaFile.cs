using ChatGenius.Db.Replay;
using ChatGenius.Db.Schema;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool;

/// <summary>
/// The schema as text beside the migrations, for who reviews them: the setting <c>schema_file</c>. It is written from the database that a
/// command has worked on; nothing else is started for it.
/// </summary>
internal sealed class SchemaFile(Workspace workspace, Settings settings, Shell shell, Report report)
{
    /// <summary>The file as the user named it; null where there is to be none.</summary>
    public string? Path => settings[SettingKey.SchemaFile].Value is { Length: > 0 } path ? shell.Shown(path) : null;

    private bool IsWritten => Path is not null && !settings.IsProtected;

    /// <summary>Looks, before a run, whether the database is what the file says.</summary>
    /// <returns>Why the file is not to be written after the run; null where it is.</returns>
    public async Task<string?> ReasonAgainstAsync(Target target, CancellationToken cancellationToken)
    {
        if (!IsWritten || Read() is not { } text || SchemaStamp.Find(text) is not { } stamp)
        {
            return null;
        }

        var (applied, reason) = await AppliedAsync(target, cancellationToken);
        if (reason is not null || SchemaStamp.Of(applied) != stamp)
        {
            return reason;
        }

        return stamp.Write(await SchemaAsync(target, cancellationToken)) == text.ReplaceLineEndings("\n") ? null
            : "before this run the database was not what it says; 'chatgenius-db drift' shows how";
    }

    /// <summary>Writes the file after a run.</summary>
    /// <param name="target">What the run worked on.</param>
    /// <param name="reasonAgainst">What <see cref="ReasonAgainstAsync"/> said before it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ProblemException">CG1105: the file can't be written.</exception>
    public async Task WriteAsync(Target target, string? reasonAgainst, CancellationToken cancellationToken)
    {
        if (!IsWritten)
        {
            return;
        }

        var (applied, reason) = reasonAgainst is null ? await AppliedAsync(target, cancellationToken) : ([], reasonAgainst);
        if (reason is not null)
        {
            report.Note($"{Path} is not written: {reason}");
            return;
        }

        var text = SchemaStamp.Of(applied).Write(await SchemaAsync(target, cancellationToken));
        if (Read()?.ReplaceLineEndings("\n") != text)
        {
            OutputFile.Write(shell, report, Path, text);
        }
    }

    /// <summary>What is wrong with the file beside these migrations, as far as no database is needed; null where nothing is.</summary>
    public Problem? Stale(IReadOnlyList<Migration> migrations)
    {
        if (Path is null)
        {
            return null;
        }

        var (stamp, now) = (Read() is { } text ? SchemaStamp.Find(text) : null, SchemaStamp.Of(migrations));
        return stamp == now ? null : new Problem(
            "CG1115",
            $"The schema file {Path} " + (stamp is null ? "is not there, or does not say which migrations it is of"
                : stamp.Version != now.Version ? string.Create(CultureInfo.InvariantCulture,
                    $"is of the migrations to {stamp.Version:D4}, and they go to {now.Version:D4}")
                : "is of other migrations, or of another text of them"),
            Advice: "Apply all of them to a database of your own: that writes it.");
    }

    /// <summary>Whether the file, if it is of these migrations, says something else than they make, and says so. A stale one is only
    /// noted.</summary>
    public async Task<bool> IsOtherAsync(Replayer replayer, IReadOnlyList<Migration> migrations, CancellationToken cancellationToken)
    {
        if (Stale(migrations) is { } stale)
        {
            report.Warn(stale);
            return false;
        }

        if (Path is not { } path)
        {
            return false;
        }

        var written = SchemaSnapshot.Parse(await SourceText.ReadAsync(shell.Absolute(path), cancellationToken: cancellationToken));
        await using var replayed = await replayer.OpenAsync(migrations, cancellationToken: cancellationToken);
        var (made, _) = await SchemaReader.ReadAsync(replayed.Database, ReadOptions, cancellationToken);
        var differences = SchemaDiff.Between(made, written).Where(difference => !difference.IsOfPlatform).ToList();
        if (differences.Count == 0 || replayed.Missing.Count > 0)
        {
            return false;
        }

        report.Warn(new Problem(
            "CG1116", $"The schema file {path} is not what the migrations make:\n{string.Join('\n', differences)}",
            Advice: "Apply all of them to a database that has nothing else: that writes it."));
        return true;
    }

    /// <summary>What of a schema is in the file.</summary>
    private SchemaReadOptions ReadOptions => new() { HistorySchema = settings.HistorySchema };

    private string? Read()
    {
        var path = shell.Absolute(Path!);
        return File.Exists(path) && SourceText.Read(path) is var text ? text.All() : null;
    }

    private async Task<SchemaSnapshot> SchemaAsync(Target target, CancellationToken cancellationToken) =>
        (await SchemaReader.ReadAsync(target.Database, ReadOptions, cancellationToken)).Schema;

    /// <summary>The migrations that the database has, or why it has something else than migrations make.</summary>
    private async Task<(List<Migration> Applied, string? Reason)> AppliedAsync(Target target, CancellationToken cancellationToken)
    {
        var migrations = await workspace.LoadAsync(cancellationToken);
        var (statuses, repeatables) = await new Migrator(target.Database, migrations, settings.RunOptions, null, workspace.Repeatables)
            .AllStatusAsync(cancellationToken);
        foreach (var status in statuses)
        {
            var what = status.State switch
            {
                MigrationState.Missing => "was applied, and its file is not here",
                MigrationState.Edited => "was edited after it was applied",
                MigrationState.Interrupted => "was interrupted",
                _ => null,
            };
            if (what is not null)
            {
                return ([], string.Create(CultureInfo.InvariantCulture, $"{status.Version:D4}_{status.Name} {what}"));
            }
        }

        return repeatables.FirstOrDefault(one => one.State == RepeatableState.Missing) is { } gone
            ? ([], $"the repeatable object {gone.Name} ran, and its file is not here")
            : ([
                .. statuses.Where(status => status.State == MigrationState.Applied).Select(status => status.Migration!),
                .. repeatables.Where(one => one.State == RepeatableState.Current).Select(one => one.File!),
            ], null);
    }
}
