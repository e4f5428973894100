namespace ChatGenius.Tool.Output;

/// <summary>The last words of a run.</summary>
internal static class RunSummary
{
    /// <param name="done">What happened to the migrations: <c>applied</c>, <c>rolled back</c>.</param>
    public static void Write(Report report, RunResult result, Target target, string done)
    {
        foreach (var remark in result.Plan.Remarks)
        {
            report.Note(remark);
        }

        report.Result(DoneJson.Of(result, target, done), JsonContext.Readable.DoneJson);
        var applied = result.Plan.Statuses.Count(status => status.State == MigrationState.Applied);
        var numbered = result.Finished.Where(one => !one.Step.IsRepeatable).ToList();
        var (repeated, undoes) = (result.Finished.Count - numbered.Count, done == "rolled back");
        var ups = numbered.Count(one => one.Step.Direction == MigrationDirection.Up);
        report.Result(result.Finished.Count > 0
            ? $"{PlanText.Count(undoes || ups == 0 ? numbered.Count : ups, repeated)} "
                + $"{(ups == 0 && numbered.Count > 0 ? "rolled back" : done)} in {Duration.Format(result.Elapsed)}"
            : $"Nothing to do: {Plural.Of(applied, "migration")} applied");
        if (target.IsEmbedded && result.Finished.Count > 0)
        {
            report.Note($"The database is {target.Url.Display} ('{Cli.Name} server psql' opens it)");
        }
        else
        {
            report.Detail($"The database is {target.Url.Display}");
        }
    }
}
