namespace ChatGenius.Tool;

/// <summary>A migration that a database's history has.</summary>
internal sealed record AppliedMigration(long Version, string Name);

/// <summary>What a database's history has, for commands that work without a database too.</summary>
internal sealed class AppliedMigrations(TargetFinder targets, GlobalOptions options, Settings settings, Report report)
{
    /// <summary>Who writes a new migration does not wait for a database that is far away or down.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    /// <summary>Asks the database that is configured, if it answers immediately; starts no server.</summary>
    /// <returns>Nothing where no database is configured or none answers.</returns>
    public async Task<IReadOnlyList<AppliedMigration>> TryReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (Named() is not { } url)
            {
                return [];
            }

            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(Patience);
            return await ReadAsync(new Database(url), patience.Token).WaitAsync(Patience, cancellationToken);
        }
        catch (Exception e) when (e is ProblemException or TimeoutException or OperationCanceledException
            && !cancellationToken.IsCancellationRequested)
        {
            report.Detail(
                $"The history was not asked: {(e as ProblemException)?.Problems[0].Message ?? "the database did not answer immediately"}");
            return [];
        }
    }

    /// <summary>Asks the database that is configured; the embedded server only where <c>--embedded</c> names it.</summary>
    /// <returns>Null where no database is configured.</returns>
    /// <exception cref="ProblemException">CG06xx: the database can't be asked.</exception>
    public async Task<(Database Database, IReadOnlyList<AppliedMigration> Applied)?> ReadAsync(CancellationToken cancellationToken)
    {
        var database = options.Embedded ? (await targets.FindAsync(cancellationToken)).Database
            : Named() is { } url ? new Database(url) : null;
        return database is null ? null : (database, await ReadAsync(database, cancellationToken));
    }

    private DatabaseUrl? Named() => options.Embedded ? null : targets.Named()?.Url;

    private async Task<IReadOnlyList<AppliedMigration>> ReadAsync(Database database, CancellationToken cancellationToken)
    {
        // Compared with no files at all, every row of the history is listed.
        var statuses = await new Migrator(database, [], settings.RunOptions).StatusAsync(cancellationToken);
        return [.. statuses.Select(status => new AppliedMigration(status.Version, status.Name))];
    }
}
