using ChatGenius.Db.Safety;

namespace ChatGenius.Tool.Output;

/// <summary>A plan as SQL to read: what runs, in its order, under comments that say which file it comes from.</summary>
internal static class PlanText
{
    /// <summary>Rows of a COPY that are shown; a data file is not printed whole.</summary>
    private const int CopyLines = 5;

    /// <summary>How many migrations and repeatable objects a plan applies, in words.</summary>
    public static string Count(MigrationPlan plan) => Count(plan.Ups.Count, plan.Repeatables.Count);

    /// <inheritdoc cref="Count(MigrationPlan)"/>
    public static string Count(int migrations, int repeatables) =>
        string.Join(" and ", ((string?[])[
            migrations > 0 || repeatables == 0 ? Plural.Of(migrations, "migration") : null,
            repeatables > 0 ? Plural.Of(repeatables, "repeatable object") : null]).OfType<string>());

    /// <param name="asResult">Whether it is what was asked for, and goes to stdout, or stands before a question, on stderr.</param>
    /// <param name="seen">What a check has seen of some of the migrations.</param>
    public static void Write(Report report, MigrationPlan plan, bool asResult, IReadOnlyDictionary<long, TraceRecord>? seen = null)
    {
        var (output, style, isTerminal) = asResult
            ? (report.Out, report.Style, report.OutIsTerminal)
            : (report.Error, report.ErrorStyle, report.ErrorIsTerminal);
        foreach (var remark in plan.Remarks)
        {
            report.Note(remark);
        }

        if (asResult && report.Json)
        {
            report.Result(PlanJson.Of(plan, seen ?? new Dictionary<long, TraceRecord>()), JsonContext.Readable.PlanJson);
            return;
        }

        foreach (var step in plan.Steps)
        {
            var how = step.Section.Transactional ? "in a transaction"
                : step.Section.Batch is { } batch ? $"in batches of {batch.Display}"
                : "without a transaction, statement by statement";
            var resume = step.Resume is { } stop ? $", continues {stop.Place}" : "";
            var stored = step.IsStored ? ", as the history has kept it" : "";
            output.WriteLine(style.Bold(step.IsRepeatable ? $"-- {step.Id}, repeatable{stored}, in one transaction with the others"
                : $"-- {step.Id} {step.Direction.ToString().ToLowerInvariant()}{stored}, {how}{resume}"));
            output.WriteLine(style.Dim($"-- {step.Section.Where.Path}:{step.Section.Where.Line}"));
            var certificate = step.Direction == MigrationDirection.Up && !step.IsRepeatable ? seen?.GetValueOrDefault(step.Version) : null;
            foreach (var (i, statement) in step.Left())
            {
                foreach (var (table, mode) in certificate?.Statements[i].Locks ?? new Dictionary<string, string>())
                {
                    output.WriteLine(style.Dim($"-- {mode} on {table}"));
                }

                foreach (var kept in step.Keeps.Where(part => part.Statement == i))
                {
                    output.WriteLine(style.Dim($"-- keeps {Cells.Tame(kept.Display)}"));
                }

                output.WriteLine($"{(isTerminal ? Cells.Tame(statement.Text) : statement.Text)};");
                if (statement.IsCopyFromStdin)
                {
                    WriteCopy(output, statement.CopyData.Span);
                }
            }

            output.WriteLine();
        }
    }

    private static void WriteCopy(TextWriter output, ReadOnlySpan<byte> rows)
    {
        var (shown, total) = (0, rows.Count((byte)'\n'));
        while (!rows.IsEmpty && shown < CopyLines)
        {
            var end = rows.IndexOf((byte)'\n');
            var row = end < 0 ? rows : rows[..end];
            output.WriteLine(Cells.Tame(System.Text.Encoding.UTF8.GetString(row).TrimEnd('\r')));
            rows = end < 0 ? [] : rows[(end + 1)..];
            shown++;
        }

        if (total > shown)
        {
            output.WriteLine($"-- ... {Plural.Of(total - shown, "more row")}");
        }

        output.WriteLine("\\.");
    }
}
