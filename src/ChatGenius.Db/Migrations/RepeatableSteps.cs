using System.Diagnostics;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Migrations;

/// <summary>
/// Runs repeatable objects, all in one transaction: each behind a savepoint, and what fails again after the others, until nothing more gets
/// through.
/// </summary>
/// <param name="session">Where; it has the lock.</param>
/// <param name="plan">What they are part of.</param>
/// <param name="files">All repeatable objects.</param>
/// <param name="options">The tool's version.</param>
internal sealed partial class RepeatableSteps(
    MigrationSession session, MigrationPlan plan, IReadOnlyList<Migration> files, MigratorOptions options)
{
    private const string File = "chatgenius_db_file";
    private const string One = "chatgenius_db_one";

    private static readonly string[] Written = ["repeatable", "log"];

    private readonly Session _inner = Session.Within(session.Connection, "reading what depends on a repeatable object");
    private readonly List<CreatedObject> _known =
        [.. plan.RepeatableTexts.Concat(files.Select(file => file.Up.Script)).SelectMany(Repeatable.Created)];

    // What had to go for the sake of another, and waits for the file that makes it.
    private readonly Dictionary<MigrationStep, List<(Dependent One, List<ObjectFact> Facts)>> _waiting = [];

    /// <summary>Runs steps.</summary>
    /// <param name="steps">All of them.</param>
    /// <param name="cancellationToken">Keeps what has not begun from beginning.</param>
    /// <param name="asFarAsPossible">Whether what does not get through is left out, and nothing is reported as done.</param>
    /// <exception cref="ProblemException">CG0528: what depends on an object that is to be replaced can't be made again; nothing was
    /// changed.</exception>
    /// <exception cref="NpgsqlException">The connection was lost.</exception>
    internal async Task<StepsOutcome> RunAsync(
        IReadOnlyList<MigrationStep> steps, CancellationToken cancellationToken, bool asFarAsPossible = false)
    {
        if (!session.History.Place.Has("repeatable"))
        {
            throw new ProblemException(
                "CG0529", $"The table {session.History.Schema}.repeatable is not there, and role "
                    + $"{SqlIdentifier.Quote(session.Facts.RoleName)} may not create it",
                advice: $"Let {SqlIdentifier.Quote(session.History.Place.Owner)} run {new ToolCall("apply")} once.");
        }

        var took = new Dictionary<MigrationStep, TimeSpan>();
        var underWay = steps[0];
        _waiting.Clear();
        try
        {
            string[] sign = session.IsPooled ? [$"SELECT {session.Lock.Sign}"] : [];
            await RunAsync(steps[0], [MigrationSession.Begin, .. session.Settings(local: true), .. sign], cancellationToken);
            for (var left = new List<MigrationStep>(steps); left.Count > 0;)
            {
                var failed = new List<(MigrationStep Step, SqlPipelineException<MigrationStep> Failure)>();
                var again = new List<MigrationStep>();
                foreach (var step in left)
                {
                    underWay = step;
                    var clock = Stopwatch.StartNew();
                    if (await TryAsync(step, again, cancellationToken) is { } failure)
                    {
                        failed.Add((step, failure));
                    }
                    else
                    {
                        took[step] = took.GetValueOrDefault(step) + clock.Elapsed;
                    }
                }

                if (failed.Count == left.Count && again.Count == 0)
                {
                    if (!asFarAsPossible)
                    {
                        return await RefusedAsync(failed[0].Failure);
                    }

                    left.ForEach(step => took.Remove(step));
                    break;
                }

                left = [.. failed.Select(one => one.Step).Union(again)];
            }

            List<MigrationStep> done = [.. steps.Where(took.ContainsKey)];
            await RecordAsync(done, took, cancellationToken);
            return new StepsOutcome.Ended(asFarAsPossible ? [] : [.. done.Select(step => (step, took[step]))])
            {
                Dropped = [.. done.Where(step => step.TakesAway).Select(step => step.Name)],
            };
        }
        catch (SqlPipelineException<MigrationStep> e)
        {
            return await RefusedAsync(e);
        }
        catch (OperationCanceledException)
        {
            await session.RollbackAsync();
            return new StepsOutcome.Cancelled([], underWay);
        }
        catch (ProblemException)
        {
            await session.RollbackAsync();
            throw;
        }
    }

    private async Task<StepsOutcome> RefusedAsync(SqlPipelineException<MigrationStep> failure)
    {
        try
        {
            await session.RollbackAsync();
            return new StepsOutcome.Refused([], failure);
        }
        catch (NpgsqlException e)
        {
            return new StepsOutcome.Refused([], failure, e);
        }
    }

    /// <summary>Runs a file; where it fails nothing of it is left.</summary>
    /// <param name="step">The file.</param>
    /// <param name="again">Gets the files that have to run again because of it.</param>
    /// <param name="cancellationToken">Keeps it from beginning.</param>
    /// <returns>The failure, where the others may help; null where there was none.</returns>
    private async Task<SqlPipelineException<MigrationStep>?> TryAsync(
        MigrationStep step, List<MigrationStep> again, CancellationToken cancellationToken)
    {
        var statements = step.Section.Script.Statements;
        try
        {
            await RunAsync(step, [$"SAVEPOINT {File}"], statements, After(), cancellationToken);
        }
        catch (SqlPipelineException<MigrationStep> e) when (MayBeHelped(e))
        {
            await RunAsync(step, [$"ROLLBACK TO SAVEPOINT {File}"], CancellationToken.None);
            var failure = IsReplaceable(e) || SqlPipeline<MigrationStep>.WantsText(e.Error)
                ? await TrySlowlyAsync(step, again, cancellationToken) : e;
            if (failure is not null)
            {
                return failure;
            }
        }

        await GiveBackAsync(step, again, cancellationToken);
        return null;
    }

    /// <summary>Runs a file statement by statement, so that one can be helped in the middle.</summary>
    private async Task<SqlPipelineException<MigrationStep>?> TrySlowlyAsync(
        MigrationStep step, List<MigrationStep> again, CancellationToken cancellationToken)
    {
        var gone = new List<MigrationStep>();
        try
        {
            foreach (var statement in step.Section.Script.Statements)
            {
                await RunAsync(step, statement, gone, cancellationToken);
            }

            await RunAsync(step, After(), cancellationToken);
            again.AddRange(gone);
            return null;
        }
        catch (SqlPipelineException<MigrationStep> e) when (MayBeHelped(e))
        {
            gone.ForEach(one => _waiting.Remove(one));
            await RunAsync(step, [$"ROLLBACK TO SAVEPOINT {File}"], CancellationToken.None);
            return e;
        }
    }

    /// <summary>What a file may have changed in the session is undone, and our own limits count again.</summary>
    private string[] After() =>
        [.. MigrationSession.Reset, $"SELECT {session.SettingCalls(local: true)}", $"RELEASE SAVEPOINT {File}"];

    private async Task RecordAsync(
        List<MigrationStep> steps, Dictionary<MigrationStep, TimeSpan> took, CancellationToken cancellationToken)
    {
        if (steps.Count == 0)
        {
            await session.RollbackAsync();
            return;
        }

        var (locked, compare) = session.History.Hold(Written);
        var pipeline = session.Sent = new SqlPipeline<MigrationStep>(session.Connection);
        pipeline.Add(steps[0], locked);
        pipeline.Add(steps[0], compare);
        foreach (var step in steps)
        {
            pipeline.Add(step, step.TakesAway
                ? session.History.ForgetRepeatable(step.Name, "dropped", step.Command, session.Lock.Fence, options.ToolVersion)
                : session.History.RecordRepeatable(step, took[step], session.Lock.Fence, options.ToolVersion));
        }

        foreach (var name in plan.Forgotten)
        {
            pipeline.Add(steps[^1], session.History.ForgetRepeatable(
                name, "forgotten", steps[^1].Command, session.Lock.Fence, options.ToolVersion));
        }

        pipeline.Add(steps[^1], "COMMIT");
        await pipeline.RunAsync("", static _ => { }, cancellationToken);
    }

    private Task RunAsync(MigrationStep step, string[] commands, CancellationToken cancellationToken) =>
        RunAsync(step, commands, [], [], cancellationToken);

    private async Task RunAsync(
        MigrationStep step, string[] before, IReadOnlyList<SqlStatement> statements, string[] after, CancellationToken cancellationToken,
        bool asText = false)
    {
        var pipeline = session.Sent = new SqlPipeline<MigrationStep>(session.Connection);
        foreach (var command in before)
        {
            pipeline.Add(step, command);
        }

        foreach (var statement in statements)
        {
            pipeline.Add(step, statement, asText);
        }

        foreach (var command in after)
        {
            pipeline.Add(step, command);
        }

        await pipeline.RunAsync("", static _ => { }, cancellationToken);
    }
}
