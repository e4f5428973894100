using ChatGenius.Db.Safety;

namespace ChatGenius.Tool.Output;

/// <summary>Says what a rollback destroys.</summary>
internal static class LossText
{
    /// <summary>The option that leaves it out.</summary>
    public static async Task WriteAsync(Report report, Database database, MigrationPlan plan, MigratorOptions options,
        CancellationToken cancellationToken)
    {
        var estimate = await LossEstimate.OfAsync(database, plan, options, line => report.Note(line), cancellationToken);
        foreach (var item in estimate.Lost)
        {
            report.Note($"{item.What}{Rows(item)}, by {item.By}", label: "will be lost");
        }

        foreach (var item in estimate.PutBack)
        {
            report.Note($"{item.What}, kept of {Plural.Of(item.Rows, "row")} by {item.By}", label: "will be put back");
        }

        WriteRest(report, estimate);
    }

    public static async Task WriteAsync(Report report, Database database, MigratorOptions options, CancellationToken cancellationToken)
    {
        var estimate = await LossEstimate.OfDatabaseAsync(database, options, line => report.Note(line), cancellationToken);
        if (estimate.Lost.Count > 0)
        {
            var about = estimate.Lost.Any(item => item.Accuracy == LossAccuracy.MoreThan) ? "more than "
                : estimate.Lost.Any(item => item.Accuracy == LossAccuracy.About) ? "about " : "";
            var uncounted = estimate.Lost.Count(item => item.Accuracy == LossAccuracy.Unknown);
            report.Note(
                $"{Plural.Of(estimate.Lost.Count, "table")} ({about}{Plural.Of(estimate.Lost.Sum(item => item.Rows), "row")}"
                + (uncounted > 0 ? $", {uncounted} not counted)" : ")"),
                label: "will be lost");
        }

        WriteRest(report, estimate);
    }

    private static void WriteRest(Report report, LossEstimate estimate)
    {
        foreach (var sentence in estimate.Unclear)
        {
            report.Note(sentence);
        }

        if (estimate.IsNothing)
        {
            report.Note("Nothing will be lost.");
        }
    }

    private static string Rows(LossItem item)
    {
        var rows = Plural.Of(item.Rows, item.IsValues ? "value" : "row");
        return item.Accuracy switch
        {
            LossAccuracy.Exact => $" ({rows})",
            LossAccuracy.AtMost => $" (at most {rows})",
            LossAccuracy.About => $" (about {rows})",
            LossAccuracy.MoreThan => $" (more than {rows})",
            LossAccuracy.Unknown => $" (not counted: {item.Reason})",
            _ => "",
        };
    }
}
