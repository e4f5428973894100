using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Migrations;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db;

/// <summary>Which migrations are to be marked as applied without being run: exactly one of the two first.</summary>
/// <param name="To">All up to this number.</param>
/// <param name="From">Those that this tool's table says are applied; see <see cref="ToolTable.Key"/>.</param>
/// <param name="Force">Also where tables that they create are not there.</param>
/// <param name="DryRun">Only looks, without the lock.</param>
/// <param name="Seen">What the history had when it was found out which; <c>null</c> where it may be another by now.</param>
internal sealed record BaselineRequest(
    long? To = null, string? From = null, bool Force = false, bool DryRun = false, IReadOnlyList<long>? Seen = null);

/// <summary>What was marked.</summary>
/// <param name="Marked">The migrations that were not in the history before, by number.</param>
/// <param name="Tool">The other tool's history, where it was taken over.</param>
internal sealed record BaselineResult(IReadOnlyList<Migration> Marked, ToolHistory? Tool);

/// <summary>A migration that is marked as applied.</summary>
/// <param name="File">The migration.</param>
/// <param name="At">When it was applied; <c>null</c> where nobody knows.</param>
/// <param name="By">Who did it; <c>null</c> where nobody knows.</param>
/// <param name="Detail">Where that was taken from, for the log.</param>
internal sealed record BaselineMark(Migration File, DateTime? At = null, string? By = null, string? Detail = null);

/// <summary>How a database that something else has built is taken over.</summary>
public sealed partial class Migrator
{
    /// <summary>The tools whose history can be taken over, as <see cref="BaselineRequest.From"/> names them.</summary>
    internal static IReadOnlyList<string> KnownTools { get; } = [.. KnownTool.All.Select(tool => tool.Key)];

    /// <summary>Writes migrations into the history without running them.</summary>
    /// <param name="request">Which.</param>
    /// <param name="cancellationToken">Cancels the run.</param>
    /// <exception cref="ProblemException">
    /// CG0406 no migration has this number; CG0410 the history is not what was seen; CG0431 no such tool's table is there; CG0432 tables
    /// are not there; CG0433 something of the other tool was not finished; CG0434 none of its versions has a file; CG0501, CG0509 to
    /// CG0511 as in <see cref="ApplyAsync"/>.
    /// </exception>
    internal Task<BaselineResult> BaselineAsync(BaselineRequest request, CancellationToken cancellationToken = default)
    {
        if (request.To is { } to)
        {
            RequireMigration(to);
        }

        return InSessionAsync(
            async (session, stop) =>
            {
                var history = await session.ReadAsync(HistoryColumns.Plan);
                if (!request.DryRun)
                {
                    await session.LockAsync();
                    history = await session.PrepareAsync(HistoryColumns.Plan);
                }

                var reading = Session.Over(session.Connection, "looking what is in the database");
                var tool = request.From is null ? null : await ReadToolAsync(reading, request.From, stop);
                var known = history.Rows.Select(row => row.Version).ToHashSet();
                if (request.Seen is not null && !known.SetEquals(request.Seen))
                {
                    throw new ProblemException(
                        "CG0410", "Another run has changed what is applied while the database was looked at",
                        advice: "Run the same command again: it looks at what is there now.");
                }

                List<BaselineMark> taken =
                [
                    .. (tool is null ? _migrations.Where(file => file.Version <= request.To).Select(file => new BaselineMark(file))
                        : tool.Matches.Select(match => new BaselineMark(
                            match.File, match.Row.At, match.Row.By, $"from {tool.Table.Tool}, {tool.Table.Display}")))
                        .Where(mark => !known.Contains(mark.File.Version)),
                ];
                if (tool is null && !request.Force && taken.Count > 0)
                {
                    await RequireTablesAsync(reading, taken, stop);
                }

                if (!request.DryRun && taken.Count > 0)
                {
                    await session.WriteAsync(
                        [.. taken.Select(mark => session.History.Baseline(mark, session.Lock.Fence, _options.ToolVersion))]);
                }

                return new BaselineResult([.. taken.Select(mark => mark.File)], tool);
            },
            cancellationToken);
    }

    /// <summary>Takes back what a baseline has marked; what the migrations have done stays.</summary>
    /// <returns>What is no longer in the history.</returns>
    /// <exception cref="ProblemException">CG0435: something was applied after it; as <see cref="BaselineAsync"/>.</exception>
    internal Task<IReadOnlyList<HistoryRow>> UnmarkAsync(bool dryRun = false, CancellationToken cancellationToken = default) =>
        InSessionAsync<IReadOnlyList<HistoryRow>>(
            async (session, _) =>
            {
                var history = await session.ReadAsync(HistoryColumns.Details);
                if (!dryRun)
                {
                    await session.LockAsync();
                    history = await session.PrepareAsync(HistoryColumns.Details);
                }

                var marked = history.Rows.Where(row => row.Details!.Origin == "baseline").ToList();
                if (marked.Count > 0
                    && history.Rows.FirstOrDefault(row => row.Version > marked[0].Version && !marked.Contains(row)) is { } on)
                {
                    throw new ProblemException(
                        "CG0435", $"{MigrationPlan.FormatId(on.Version, on.Name)} was applied on top of what was marked",
                        advice: $"Without the marks it would be out of order. Undo it first, with {new ToolCall("rollback")}.");
                }

                if (!dryRun && marked.Count > 0)
                {
                    await session.WriteAsync([.. marked.Select(row =>
                        session.History.Unmark(row, session.Lock.Fence, _options.ToolVersion))]);
                }

                return marked;
            },
            cancellationToken);

    /// <summary>The newest migration that a baseline has marked, or that ran with an empty down: what was written for another tool. 0 where
    /// the history has no such row, <c>null</c> where it has no row at all.</summary>
    internal Task<long?> WrittenForOthersAsync(CancellationToken cancellationToken) => InSessionAsync(
        async (session, _) =>
        {
            var rows = (await session.ReadAsync(HistoryColumns.Down)).Rows;
            return rows.Count == 0 ? (long?)null : rows.Where(row => row.IsBaseline || row.DownSql == Migration.EmptyDown)
                .Select(row => row.Version).DefaultIfEmpty(0).Max();
        },
        cancellationToken);

    /// <summary>The tables in which other tools keep what they have applied.</summary>
    internal Task<IReadOnlyList<ToolTable>> FindToolsAsync(CancellationToken cancellationToken = default) => InSessionAsync(
        (session, stop) => ToolHistory.FindAsync(Session.Over(session.Connection, "looking for other tools"), stop), cancellationToken);

    private async Task<ToolHistory> ReadToolAsync(Session session, string key, CancellationToken cancellationToken)
    {
        var found = await ToolHistory.FindAsync(session, cancellationToken);
        var histories = new List<ToolHistory>();
        foreach (var table in found.Where(table => table.Key == key))
        {
            histories.Add(await ToolHistory.ReadAsync(session, table, _migrations, cancellationToken));
        }

        // A platform may use the same tool for itself: its versions are not those of the files here.
        var history = histories.MaxBy(one => one.Matches.Count) ?? throw new ProblemException(
            "CG0431",
            $"There is no table of {KnownTool.All.First(tool => tool.Key == key).Name} in this database"
                + string.Concat(found.Select(table => $"\n{table.Display} is {table.Tool}'s")),
            advice: $"{new ToolCall("baseline", "--detect")} looks what the database has instead.");
        if (history.Rows is null)
        {
            throw new ProblemException(
                "CG0431", $"{history.Table.Display}, the table of {history.Table.Tool}, can't be read",
                advice: "Connect as a role that may read it.");
        }

        if (history.Failed.ToList() is { Count: > 0 } failed)
        {
            throw new ProblemException(
                "CG0433",
                $"{history.Table.Tool} did not finish {string.Join(", ", failed.Select(row => row.Id))}, so nobody knows what of it "
                    + "is there",
                advice: "Finish or repair it with that tool, and take the database over then.");
        }

        if (history.RunMark is { } mark)
        {
            throw new ProblemException(
                "CG0433", $"{history.Table.Tool} has not ended its last run: {mark}",
                advice: "Let it end, or repair what it left with that tool, and take the database over then.");
        }

        return history.Matches.Count > 0 || history.Rows.Count == 0 ? history : throw new ProblemException(
            "CG0434", $"None of the {history.Rows.Count} versions in {history.Table.Display} has a file here: "
                + string.Join(", ", history.Rows.Take(3).Select(row => row.Id)) + (history.Rows.Count > 3 ? ", …" : ""),
            advice: "Bring the files over first, with the same numbers or names; --migrations says where they are.");
    }

    /// <summary>The cheap look: whether the tables are there that the files create and that are still there after the last one.</summary>
    private async Task RequireTablesAsync(Session session, List<BaselineMark> marks, CancellationToken cancellationToken)
    {
        var there = await session.RowsAsync(
            """
            SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
            """,
            row => (Schema: row.GetString(0), Name: row.GetString(1)),
            cancellationToken);
        var (names, qualified) = (there.Select(one => one.Name).ToHashSet(), there.ToHashSet());
        var last = marks[^1].File.Version;
        var marked = marks.Select(mark => mark.File).ToHashSet();
        var missing = TablesOf(_migrations.Where(file => file.Version <= last)).Where(one => marked.Contains(one.File)
            && !(one.Table.Schema is null ? names.Contains(one.Table.Name)
                : qualified.Contains((one.Table.Schema, one.Table.Name)))).ToList();
        if (missing.Count > 0)
        {
            var by = missing.GroupBy(one => one.File).Take(10).Select(file =>
                $"{file.Key.Id}: no table {string.Join(", ", file.Select(one => one.Table.Display))}");
            throw new ProblemException(
                "CG0432", $"{marks[^1].File.Id} and what comes before it is not all there\n{string.Join('\n', by)}",
                advice: $"Mark only what the database has; {new ToolCall("baseline", "--detect")} finds out how far that is. "
                    + "--force marks it all the same.");
        }
    }

    /// <summary>The tables that files create and that nothing after them drops, renames or moves, as far as the text says.</summary>
    private static List<(Migration File, StatementName Table)> TablesOf(IEnumerable<Migration> files)
    {
        var made = new List<(Migration File, StatementName Table)>();
        foreach (var file in files)
        {
            foreach (var statement in file.Up.Script.Statements)
            {
                var text = new StatementText(statement);
                if (text.CreatedTableName is { } table)
                {
                    if (!text.AtAny(1, "TEMP", "TEMPORARY") && !text.AtAny(2, "TEMP", "TEMPORARY"))
                    {
                        made.Add((file, table));
                    }
                }
                else if (text.Is("DROP", "SCHEMA"))
                {
                    made.Clear();
                }
                else if (text.Mentions("DROP") || text.Mentions("RENAME") || text.Mentions("SCHEMA"))
                {
                    made.RemoveAll(one => text.Mentions(one.Table.Name));
                }
            }
        }

        return made;
    }
}
