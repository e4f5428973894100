using System.Text;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool;

/// <summary>
/// The texts that repeatable objects had. Git has them; what a database has kept is compared with that and not run elsewhere, because
/// somebody else may have written it.
/// </summary>
internal sealed class OlderTexts(Workspace workspace, SchemaSources sources, Settings settings, Report report)
{
    /// <summary>Those of a revision.</summary>
    /// <exception cref="ProblemException">CG1212: git knows no such revision; and those of the files.</exception>
    public async Task<IReadOnlyList<Migration>> OfRevisionAsync(string revision, CancellationToken cancellationToken) =>
        workspace.Repeatables.Count == 0 ? []
        : await sources.RepeatablesAsync(await Git.MergeBaseAsync(revision, sources.Folder, cancellationToken), cancellationToken);

    /// <summary>Those that ran on a database, as far as git has them; a note names any other.</summary>
    public async Task<IReadOnlyList<Migration>> OfDatabaseAsync(
        Database database, IReadOnlyList<Migration> migrations, CancellationToken cancellationToken)
    {
        if (workspace.Repeatables.Count == 0)
        {
            return [];
        }

        var (_, repeatables) = await new Migrator(database, migrations, settings.RunOptions, null, workspace.Repeatables)
            .AllStatusAsync(cancellationToken);
        var (older, unknown) = (new List<Migration>(), new List<string>());
        foreach (var one in repeatables.Where(one => one.Row is not null))
        {
            var text = one.State == RepeatableState.Current ? one.File! : await FindAsync(one.Row!, cancellationToken);
            if (text is null)
            {
                unknown.Add(one.Name);
            }
            else
            {
                older.Add(text);
            }
        }

        if (unknown.Count > 0)
        {
            report.Note($"Of {string.Join(", ", unknown)}, git has not the text that ran here last: whether it can be replaced is not "
                + "known");
        }

        return older;
    }

    private async Task<Migration?> FindAsync(RepeatableRow row, CancellationToken cancellationToken)
    {
        var path = $"{Repeatable.FolderName}/{row.Name}.sql";
        await foreach (var text in Git.TextsAsync(sources.Folder, path, cancellationToken))
        {
            var problems = new List<Problem>();
            var then = Repeatable.From(SourceText.From(Path.Combine(sources.Folder, path), Encoding.UTF8.GetString(text)), problems);
            if (problems.Count == 0 && then.Up.Checksum == row.Checksum)
            {
                return then;
            }
        }

        return null;
    }
}
