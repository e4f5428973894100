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
        var (finished, undoes) = (result.Finished.Count, done == "rolled back");
        var ups = result.Finished.Count(one => one.Step.Direction == MigrationDirection.Up);
        report.Result(finished > 0
            ? $"{Plural.Of(undoes || ups == 0 ? finished : ups, "migration")} {(ups == 0 ? "rolled back" : done)} in "
                + Duration.Format(result.Elapsed)
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
