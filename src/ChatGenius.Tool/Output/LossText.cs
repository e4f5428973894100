using ChatGenius.Db.Migrations;

namespace ChatGenius.Tool.Output;

/// <summary>Says what a rollback would destroy.</summary>
internal static class LossText
{
    public static async Task WriteAsync(Report report, Migrator migrator, MigrationPlan plan, CancellationToken cancellationToken)
    {
        var losses = await migrator.EstimateLossAsync(plan, cancellationToken);
        foreach (var loss in losses.Where(loss => loss.Rows > 0))
        {
            var rows = $"{(loss.IsEstimate ? "about " : "")}{Plural.Of(loss.Rows, "row")}";
            report.Note($"{loss.What} ({rows}), by {loss.Step.Id}", label: "will be lost");
        }

        if (losses.All(loss => loss.Rows == 0))
        {
            report.Note("No rows will be lost");
        }
    }
}
