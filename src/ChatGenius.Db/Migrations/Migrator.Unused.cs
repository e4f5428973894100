using System.Text;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Migrations;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db;

/// <content>What is watched before it is dropped.</content>
public sealed partial class Migrator
{
    /// <summary>Takes first samples of tables or columns; of those that are watched already, says what was found since.</summary>
    /// <param name="names"><c>table</c>, <c>table.column</c>, or the same with a schema before it.</param>
    /// <param name="again">Whether those are watched from the start too.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="ProblemException">CG1607: a name means nothing, or several things; CG1608: a standby could not be asked; CG0501,
    /// CG0509, CG0510 as in <see cref="ApplyAsync"/>.</exception>
    internal Task<IReadOnlyList<UsageVerdict>> WatchAsync(
        IReadOnlyList<string> names, bool again, CancellationToken cancellationToken = default) => InSessionAsync(
        async (session, stop) =>
        {
            await session.ReadAsync(HistoryColumns.Plan);
            var reading = Session.Over(session.Connection, "looking what is to be watched");
            var targets = new List<UsageTarget>();
            foreach (var name in names)
            {
                targets.Add(await FindAsync(reading, name, stop));
            }

            await session.LockAsync();
            await session.PrepareAsync(HistoryColumns.Plan);
            var watched = await session.History.ReadWatchedAsync(reading, stop);
            var (gate, verdicts) = (new UnusedGate(session, _database.Url, _options), new List<UsageVerdict>());
            foreach (var target in targets)
            {
                var now = await gate.SampleAsync(target, stop);
                var first = watched[target].ToList();
                if (first.Count > 0 && !again)
                {
                    verdicts.Add(Judge(target, first, now));
                    continue;
                }

                if (now.FirstOrDefault(sample => sample.Missing is not null) is { } missing)
                {
                    throw new ProblemException("CG1608",
                        $"{target.Display} can't be watched on {UsageVerdict.Place(missing.Node)}: {missing.Missing}",
                        advice: "It is not watched from now on. Correct that, or take the standby out of the setting standbys.");
                }

                await session.History.WriteWatchedAsync(reading, target, now, stop);
                verdicts.Add(Begin(target, now));
            }

            return (IReadOnlyList<UsageVerdict>)verdicts;
        },
        cancellationToken);

    /// <summary>What was found of all that is watched. Reads only.</summary>
    internal Task<IReadOnlyList<UsageVerdict>> WatchedAsync(CancellationToken cancellationToken = default) => InSessionAsync(
        async (session, stop) =>
        {
            await session.ReadAsync(HistoryColumns.Plan);
            var watched = await session.History.ReadWatchedAsync(Session.Over(session.Connection, "reading what is watched"), stop);
            var (gate, verdicts) = (new UnusedGate(session, _database.Url, _options), new List<UsageVerdict>());
            foreach (var samples in watched)
            {
                verdicts.Add(Judge(samples.Key, [.. samples], await gate.SampleAsync(samples.Key, stop)));
            }

            return (IReadOnlyList<UsageVerdict>)verdicts;
        },
        cancellationToken);

    /// <summary>Says with a first sample what can't be told from it, while there is time to mend that.</summary>
    private static UsageVerdict Begin(UsageTarget target, IReadOnlyList<UsageSample> now)
    {
        var verdict = Judge(target, now, now);
        string?[] gaps =
        [
            verdict.Answer == UsageAnswer.Unknown ? verdict.Evidence : null,
            target.ColumnName is not null && now.Any(sample => sample.Life.Statements.Length == 0)
                ? "while its table is used, it is not known whether the column is: for that it takes pg_stat_statements, and pg_monitor"
                : null,
        ];
        return verdict with
        {
            IsFirst = true, Answer = UsageAnswer.Unknown, Evidence = string.Join("; ", gaps.Where(gap => gap is not null)),
        };
    }

    private static UsageVerdict Judge(UsageTarget target, IReadOnlyList<UsageSample> first, IReadOnlyList<UsageSample> now) =>
        UsageVerdict.Judge(target, first, now, TimeSpan.Zero, _ => false);

    private static async Task<UsageTarget> FindAsync(Session session, string name, CancellationToken cancellationToken)
    {
        var source = Encoding.UTF8.GetBytes(name);
        var tokens = StatementText.Read(source, new SqlLexer(source, 0));
        var parts = tokens.Where((_, i) => i % 2 == 0).Select(token => token.Name ?? "").ToArray();
        var isName = tokens.Count is 1 or 3 or 5 && !parts.Contains("") && tokens.Where((_, i) => i % 2 == 1).All(token => token.Is("."));
        var found = !isName ? [] : await session.RowsAsync(
            new SqlQuery(Find, (object)parts),
            row => new UsageTarget(row.GetFieldValue<uint>(0), row.GetInt16(1), row.GetString(2), row.GetString(3),
                row.IsDBNull(4) ? null : row.GetString(4)),
            cancellationToken);
        // Without a schema it is that of public, where there is one.
        var best = found.Count > 1 && found.FindAll(one => one.Schema == "public") is [var only] ? only : found.FirstOrDefault();
        return best is not null && (found.Count == 1 || best.Schema == "public") ? best : throw new ProblemException(
            "CG1607",
            found.Count == 0 ? $"There is no table or column {name}" : $"{name} may be {Names.List(found.Select(one => one.Display))}",
            advice: "Give TABLE or TABLE.COLUMN, with the schema before it where it is not public, and quoted as in SQL.");
    }

    private const string Find =
        """
        SELECT c.oid, a.attnum, n.nspname::text, c.relname::text, a.attname
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL (SELECT 0::int2 AS attnum, NULL::text AS attname
            UNION ALL SELECT k.attnum, k.attname::text FROM pg_catalog.pg_attribute k
                WHERE k.attrelid = c.oid AND k.attnum > 0 AND NOT k.attisdropped) a
        WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
            AND $1::text[] IN (ARRAY[c.relname::text, a.attname], ARRAY[n.nspname::text, c.relname::text, a.attname],
                CASE WHEN a.attname IS NULL THEN ARRAY[c.relname::text] END,
                CASE WHEN a.attname IS NULL THEN ARRAY[n.nspname::text, c.relname::text] END)
        ORDER BY 3, 4
        """;
}
