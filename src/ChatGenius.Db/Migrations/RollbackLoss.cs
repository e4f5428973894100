using System.Globalization;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Migrations;

/// <summary>What one statement of a rollback would destroy.</summary>
/// <param name="Step">The section it belongs to.</param>
/// <param name="What">The object, such as <c>table messages</c> or <c>column messages.pinned</c>.</param>
/// <param name="Rows">How many rows go, or lose a value; 0 or more.</param>
/// <param name="IsEstimate">Whether the number comes from the planner's statistics.</param>
public sealed record RollbackLoss(MigrationStep Step, string What, long Rows, bool IsEstimate)
{
    // Counting more rows than this one by one would keep a person waiting; statistics are close enough then.
    private const long CountLimit = 1_000_000;

    /// <summary>Reads <c>DROP TABLE</c>, <c>DROP COLUMN</c>, <c>TRUNCATE</c> and <c>DELETE</c> in the plan's sections and asks the database for numbers.</summary>
    internal static async Task<IReadOnlyList<RollbackLoss>> EstimateAsync(
        NpgsqlConnection connection, MigrationPlan plan, CancellationToken cancellationToken)
    {
        var losses = new List<RollbackLoss>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var step in plan.Steps)
        {
            foreach (var statement in step.Section.Script.Statements)
            {
                if (statement.Is("DELETE") || statement.Is("WITH") || statement.Is("UPDATE"))
                {
                    await AddDeletedAsync(losses, connection, step, statement, cancellationToken);
                    continue;
                }

                foreach (var (table, column) in Targets(statement))
                {
                    // A table that an earlier step drops is counted there.
                    if (seen.Add($"{table}.{column}") && (column.Length == 0 || !seen.Contains($"{table}.")))
                    {
                        await AddDroppedAsync(losses, connection, step, table, column, cancellationToken);
                    }
                }
            }
        }

        return losses;
    }

    /// <summary>The tables, and columns of tables, that a statement empties or drops, as the statement writes them.</summary>
    internal static IEnumerable<(string Table, string Column)> Targets(SqlStatement statement)
    {
        var text = new StatementText(statement);
        if (text.Is("DROP", "TABLE") || text.Is("TRUNCATE"))
        {
            var i = text.At(1, "TABLE") ? 2 : 1;
            while (text.NameAt(text.SkipGuards(i)) is { } table)
            {
                yield return (table.Sql, "");
                i = table.Next + (text.At(table.Next, "*") ? 2 : 1);
            }
        }

        foreach (var (_, start, _) in text.AlterTableActions())
        {
            // DROP elsewhere belongs to ALTER COLUMN.
            if (text.At(start, "DROP") && !text.At(start + 1, "CONSTRAINT")
                && text.NameAt(text.SkipGuards(start + (text.At(start + 1, "COLUMN") ? 2 : 1))) is { } column)
            {
                yield return (text.NameAt(text.SkipGuards(2))!.Value.Sql, column.Sql);
            }
        }
    }

    private static async Task AddDroppedAsync(
        List<RollbackLoss> losses, NpgsqlConnection connection, MigrationStep step, string table, string column, CancellationToken cancellationToken)
    {
        var find = new NpgsqlCommand(
            "SELECT c.oid::pg_catalog.regclass::text, c.reltuples::bigint, c.relkind FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1) AND c.relkind IN ('r', 'p', 'm')",
            connection)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = table } },
        };
        string name;
        long estimate;
        await using (find)
        {
            await using var reader = await find.ExecuteReaderAsync(cancellationToken);
            if (!await reader.ReadAsync(cancellationToken))
            {
                return;
            }

            name = reader.GetString(0);
            estimate = reader.GetInt64(1);
        }

        var isEstimate = estimate > CountLimit;
        var rows = estimate;
        if (!isEstimate)
        {
            var condition = column.Length > 0 ? $" WHERE {column} IS NOT NULL" : "";
            rows = await CountAsync(connection, $"SELECT count(*) FROM (SELECT FROM {name}{condition} LIMIT {CountLimit}) counted", cancellationToken);
            isEstimate = rows == CountLimit;
        }

        losses.Add(new RollbackLoss(step, column.Length > 0 ? $"column {name}.{column}" : $"table {name}", Math.Max(rows, 0), isEstimate));
    }

    /// <summary>Asks the planner how many rows a DELETE or UPDATE would touch; running it to find out would take its locks.</summary>
    private static async Task AddDeletedAsync(
        List<RollbackLoss> losses, NpgsqlConnection connection, MigrationStep step, SqlStatement statement, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new NpgsqlBatchCommand("EXPLAIN (FORMAT JSON) " + statement.Text) } };
        try
        {
            var plan = (string)(await batch.ExecuteScalarAsync(cancellationToken))!;
            using var document = JsonDocument.Parse(plan);
            Collect(losses, step, document.RootElement[0].GetProperty("Plan"));
        }
        catch (PostgresException e) when (e.SqlState.StartsWith("42", StringComparison.Ordinal))
        {
            // What it names is dropped by a step before it, or was never there; the run itself will say so.
        }
    }

    private static void Collect(List<RollbackLoss> losses, MigrationStep step, JsonElement node)
    {
        if (node.GetProperty("Node Type").ValueEquals("ModifyTable")
            && node.TryGetProperty("Operation", out var operation) && !operation.ValueEquals("Insert")
            && node.TryGetProperty("Plans", out var plans) && plans.GetArrayLength() > 0)
        {
            var rows = (long)plans[0].GetProperty("Plan Rows").GetDouble();
            var verb = operation.ValueEquals("Delete") ? "rows of table" : "changed rows of table";
            losses.Add(new RollbackLoss(step, $"{verb} {node.GetProperty("Relation Name").GetString()}", rows, true));
        }

        if (node.TryGetProperty("Plans", out var children))
        {
            foreach (var child in children.EnumerateArray())
            {
                Collect(losses, step, child);
            }
        }
    }

    private static async Task<long> CountAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        return Convert.ToInt64(await command.ExecuteScalarAsync(cancellationToken), CultureInfo.InvariantCulture);
    }
}
