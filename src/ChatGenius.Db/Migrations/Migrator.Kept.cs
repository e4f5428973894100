using System.Globalization;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Migrations;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db;

/// <summary>Which kept rows are meant; what is left out counts for none.</summary>
/// <param name="Version">Those of one migration.</param>
/// <param name="Table">Those of one table, as <c>kept list</c> names it; <c>public</c> may be left out.</param>
/// <param name="Where">An SQL condition over the columns of <c>kept</c>.</param>
/// <param name="OlderThan">Those that were kept at least so long ago.</param>
internal sealed record KeptSelection(long? Version = null, string? Table = null, string? Where = null, TimeSpan? OlderThan = null)
{
    /// <summary>The condition with its values.</summary>
    internal SqlQuery After(string statement)
    {
        var (conditions, values) = (new List<string>(), new List<object?>());
        Add(Version, "k.version = {0}");
        Add(Table, "k.table_name IN ({0}, 'public.' || {0})");
        Add(OlderThan?.TotalSeconds.ToString(CultureInfo.InvariantCulture),
            "k.kept_at <= clock_timestamp() - {0}::float8 * interval '1 second'");
        conditions.AddRange(Where is null ? [] : [$"(\n{Where}\n)"]);
        return new SqlQuery($"{statement} WHERE {(conditions.Count == 0 ? "true" : string.Join(" AND ", conditions))}", [.. values]);

        void Add(object? value, string condition)
        {
            if (value is not null)
            {
                values.Add(value);
                conditions.Add(string.Format(CultureInfo.InvariantCulture, condition, $"${values.Count}"));
            }
        }
    }
}

/// <content>What was kept of rows.</content>
public sealed partial class Migrator
{
    /// <summary>What was kept and is not put back yet, by migration, statement and table.</summary>
    /// <exception cref="ProblemException">CG0534: only the owner of the history may read it.</exception>
    internal Task<IReadOnlyList<KeptGroup>> KeptAsync(CancellationToken cancellationToken = default) => InKeptAsync(
        async (session, reading, stop) => await KeptRestore.ReadAsync(reading, session.History, versions: null, stop) ?? [],
        [], cancellationToken);

    /// <summary>How many rows are meant.</summary>
    /// <inheritdoc cref="KeptAsync"/>
    internal Task<long> CountKeptAsync(KeptSelection selection, CancellationToken cancellationToken = default) => InKeptAsync(
        (session, reading, stop) => session.History.ReadTableAsync(
            "kept",
            reading,
            [selection.After($"SELECT count(*) FROM (SELECT * FROM {HistoryTables.From(session.History.Schema, "kept")}) k")],
            async reader => (await Session.ResultAsync(reader, row => row.GetInt64(0), stop))[0],
            stop),
        0, cancellationToken);

    /// <summary>Forgets them, and writes into the log how many they were.</summary>
    /// <inheritdoc cref="KeptAsync"/>
    internal Task<long> PruneKeptAsync(KeptSelection selection, CancellationToken cancellationToken = default) => InKeptAsync(
        async (session, reading, stop) =>
        {
            var delete = selection.After($"DELETE FROM {session.History.Schema}.kept k");
            SqlQuery[] logged = !session.History.Place.Logs ? [] :
            [
                new SqlQuery(
                    $"INSERT INTO {session.History.Schema}.log (action, command, version, tool_version) "
                        + "VALUES ('pruned', 'kept', $1::text::bigint, $2)",
                    selection.Version?.ToString(CultureInfo.InvariantCulture), _options.ToolVersion),
            ];
            return await session.History.WriteAsync(reading, ["kept", "log"], [delete, .. logged], stop) - logged.Length;
        },
        0, cancellationToken);

    private Task<T> InKeptAsync<T>(
        Func<MigrationSession, Session, CancellationToken, Task<T>> work, T nothing, CancellationToken cancellationToken) => InSessionAsync(
        async (session, stop) =>
        {
            await session.ReadAsync(HistoryColumns.Plan);
            var reading = Session.Over(session.Connection, "looking what was kept");
            if (session.History.Place.IsEmpty("kept"))
            {
                return nothing;
            }

            return await KeptRestore.SizeAsync(reading, session.History.Schema, stop) is not null
                ? await work(session, reading, stop)
                : throw new ProblemException(
                    "CG0534", $"What was kept in schema {session.History.Schema} may be read by the owner of the history alone",
                    advice: $"Connect as {SqlIdentifier.Quote(session.History.Place.Owner)}.");
        },
        cancellationToken);
}
