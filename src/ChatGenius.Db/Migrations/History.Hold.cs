using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Migrations;

/// <summary>What keeps the history's tables, until they are written, as they were when they were looked at.</summary>
/// <remarks>
/// Their owner may give them a trigger, a rule or a default at any moment, which would run with our rights. So what writes them locks them
/// first, in a mode that CREATE TRIGGER and every ALTER wait for, and compares them with what was seen then. Who owns the schema could
/// rename it after that, and put another under its name: where they have fewer rights than a superuser who writes, its row is locked too,
/// for which a rename waits, but no GRANT.
/// </remarks>
internal sealed partial class History
{
    private const string ChangedText = "chatgenius-db: the history was changed in backend";

    /// <summary>Whether an error says that the tables are not as they were.</summary>
    internal static bool IsChanged(PostgresException error) =>
        error.SqlState == PostgresErrorCodes.InvalidTextRepresentation && error.MessageText.Contains(ChangedText, StringComparison.Ordinal);

    /// <summary>What that means.</summary>
    internal Problem Changed(PostgresException error) => new(
        "CG0517", $"What is in schema {_schema} was changed while the run was at work, so nothing more was written there",
        Advice: "Somebody who may has altered the tables just now. 'chatgenius-db status' says what is different. "
            + $"(SQLSTATE {error.SqlState})");

    /// <summary>The two commands for the tables that a transaction will write. Where its isolation level keeps one snapshot, the first of
    /// them has to come before that is taken.</summary>
    internal (string Lock, string Compare) Hold(params ReadOnlySpan<string> tables)
    {
        var names = new List<string>();
        foreach (var table in tables)
        {
            if (table == "log" ? Place.Logs : Place.Has(table))
            {
                names.Add(table);
            }
        }

        var oids = names.Select(name =>
            $"pg_catalog.to_regclass({SqlLiteral.Quote(SqlIdentifier.Quote(schemaName, name))})::pg_catalog.oid").ToList();
        var now = oids.Select(HistoryTables.Print);
        var seen = string.Concat(names.Select(name => Place.Prints[Array.IndexOf(Place.Tables, name)]));
        return (
            $"LOCK TABLE {string.Join(", ", names.Select(name => $"{_schema}.{name}"))} IN ROW EXCLUSIVE MODE",
            $"""
            SELECT CASE WHEN {(Place.HoldsSchema ? AreLocked(oids) : "")}
                pg_catalog.concat({string.Join(", ", now)}) OPERATOR(pg_catalog.=) '{seen}' THEN 0 ELSE {Fail} END
            {(Place.HoldsSchema ? LockedSchema : "")}
            """);
    }

    /// <summary>The command that keeps the schema's name where others could change it.</summary>
    internal string[] HoldSchema() =>
        Place.HoldsSchema ? [$"SELECT CASE WHEN pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 THEN 0 ELSE {Fail} END {LockedSchema}"] : [];

    /// <summary>Runs statements of our own that write these tables.</summary>
    /// <returns>How many rows they wrote.</returns>
    internal async Task<long> WriteAsync(
        Session session, string[] tables, IReadOnlyList<SqlQuery> statements, CancellationToken cancellationToken)
    {
        var (locked, compare) = Hold(tables);
        try
        {
            return await session.WriteAsync([locked, compare, .. statements], cancellationToken);
        }
        catch (ProblemException e) when (e.InnerException is PostgresException error && IsChanged(error))
        {
            throw new ProblemException(Changed(error), error);
        }
    }

    /// <summary>Waits for the schema's row and locks it; one row where it is there.</summary>
    private string LockedSchema => $"""
        FROM (SELECT FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) {SqlLiteral.Quote(schemaName)} FOR KEY SHARE) held
        """;

    // While the schema was another one, another table was locked.
    private static string AreLocked(List<string> oids) => $"""
        pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 AND {oids.Count} OPERATOR(pg_catalog.=) (
                SELECT pg_catalog.count(DISTINCT l.relation) FROM pg_catalog.pg_locks l
                WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AND l.mode OPERATOR(pg_catalog.=) 'RowExclusiveLock'
                    AND l.relation OPERATOR(pg_catalog.=) ANY (ARRAY[{string.Join(", ", oids)}])) AND
        """;

    private static string Fail => $"pg_catalog.concat('{ChangedText} ', pg_catalog.pg_backend_pid())::pg_catalog.int4";

    /// <summary>The same for all tables that sections without one transaction write.</summary>
    internal string[] HoldAll() => Hold("history", "journal", "log", "batches") is var (locked, compare) ? [locked, compare] : [];
}
