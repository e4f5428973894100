using ChatGenius.Db.Safety;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool;

/// <summary>The certificates beside the project's migrations: <c>NNNN_name.trace.json</c>, for bundled migrations too.</summary>
internal sealed class TraceRecords(Settings settings, Shell shell)
{
    public string PathOf(SourceText migration) => Path.Combine(settings.MigrationsFolder,
        $"{Path.GetFileNameWithoutExtension(migration.Path)}.trace.json");

    /// <summary>The certificate of the present text of a migration; null when there is none, or only one of another text.</summary>
    /// <exception cref="ProblemException">CG1213: the file is no certificate; CG0103: it can't be read.</exception>
    public async Task<TraceRecord?> FindAsync(Migration migration, CancellationToken cancellationToken)
    {
        var path = PathOf(migration.Source);
        if (!File.Exists(shell.Absolute(path)))
        {
            return null;
        }

        var text = await SourceText.ReadAsync(shell.Absolute(path), cancellationToken: cancellationToken);
        var certificate = TraceRecord.Parse(path, text.All());
        return certificate.Checksum == migration.Up.Checksum ? certificate : null;
    }

    /// <summary>What every pending transactional migration is held to.</summary>
    /// <exception cref="ProblemException">CG1213: one has no certificate.</exception>
    public async Task<IReadOnlyDictionary<long, TransactionGuard>> GuardsAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        var guards = new Dictionary<long, TransactionGuard>();
        var problems = new List<Problem>();
        foreach (var migration in plan.Ups.Where(step => step.Section.Transactional).Select(step => step.File))
        {
            if (await FindAsync(migration, cancellationToken) is { } certificate)
            {
                guards.Add(migration.Version, new TransactionGuard(TraceRecord.BeginCommand, certificate.EndCommand,
                    TraceRecord.SqlState));
            }
            else
            {
                problems.Add(new Problem("CG1213", $"{migration.Id} has no certificate for its present text", migration.Up.Where,
                    "Make one with 'chatgenius-db check --certify'."));
            }
        }

        return problems.Count == 0 ? guards : throw new ProblemException(problems);
    }
}
