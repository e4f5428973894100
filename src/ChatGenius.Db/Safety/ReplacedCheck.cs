using ChatGenius.Db.Files;
using ChatGenius.Db.Replay;

namespace ChatGenius.Db.Safety;

/// <summary>
/// Runs what was checked once more, on a copy that has the repeatable objects as they were: a migration may find one of them in its way,
/// and PostgreSQL may not put the new one in the place of the old.
/// </summary>
/// <param name="replayer">What makes the copy.</param>
/// <param name="notes">Told why it can't be known.</param>
internal sealed class ReplacedCheck(Replayer replayer, IProgress<string>? notes)
{
    /// <summary>Adds what fails there to the results.</summary>
    /// <param name="migrations">All migrations and repeatable objects.</param>
    /// <param name="older">The repeatable objects as they were.</param>
    /// <param name="results">What the check has found; where something failed there already, nothing is run.</param>
    /// <param name="policy">What the project decided.</param>
    /// <param name="cancellationToken">Ends it; the copy is dropped.</param>
    public async Task<IReadOnlyList<CheckResult>> RunAsync(
        IReadOnlyList<Migration> migrations, IReadOnlyList<Migration> older, IReadOnlyList<CheckResult> results, CheckPolicy policy,
        CancellationToken cancellationToken)
    {
        if (older.Count == 0 || results.Count == 0 || results.Any(result => !result.Trace.Completed))
        {
            return results;
        }

        var chosen = results.Select(result => result.Migration).Where(migration => !migration.IsRepeatable).ToList();
        var start = migrations.Where(migration => !migration.IsRepeatable && !chosen.Contains(migration)).ToList();
        await using var copy = await replayer.OpenAsync(start, later: migrations, cancellationToken);
        var repeatables = new RepeatableReplay(replayer, copy);
        if (await repeatables.RunAsync(older, cancellationToken) is { } old)
        {
            notes?.Report($"What {old.File.Name} was before does not run here ({old.Lines[0]}): whether it can be replaced was not tried");
            return results;
        }

        var failure = await replayer.FailedAsync(copy, chosen, cancellationToken) is var (failed, error)
            ? new(failed, failed.Up.Where, [$"With the repeatable objects as they are, it fails: {error.MessageText} ({error.SqlState})",
                .. (error.Detail ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries)])
            : await repeatables.RunAsync([.. migrations.Where(migration => migration.IsRepeatable)], cancellationToken) is { } kept
            ? kept with { Lines = [$"It can't take the place of what it was: {kept.Lines[0]}", .. kept.Lines.Skip(1)] } : null;
        if (failure is not null && copy.Missing.Count > 0)
        {
            notes?.Report($"{failure.File.Id}: {failure.Lines[0]}; that may be, as {copy.Missing[0]}");
            return results;
        }

        return failure is null ? results : [.. results.Select(result => result.Migration == failure.File
            ? result.With(Found(failure), policy) : result)];
    }

    private static Finding Found(RepeatableFailure failure) => new Finding("", failure.Lines[0]) { Facts = [.. failure.Lines.Skip(1)] }
        .Of(FailureRules.MigrationFails, Evidence.Traced, failure.File.Version, failure.Where);
}
