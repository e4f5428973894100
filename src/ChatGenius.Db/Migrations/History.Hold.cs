using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Migrations;

/// <summary>What keeps the history's tables, until they are written, as they were when they were looked at.</summary>
/// <remarks>
/// Their owner may give them a trigger, a rule or a default at any moment, which would run with our rights. So what writes them locks them
/// first, in a mode that CREATE TRIGGER and every ALTER wait for, and compares them with what was seen then.
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

        var now = names.Select(name => HistoryTables.Print(
            $"pg_catalog.to_regclass({SqlLiteral.Quote(SqlIdentifier.Quote(schemaName, name))})::pg_catalog.oid"));
        var seen = string.Concat(names.Select(name => Place.Prints[Array.IndexOf(Place.Tables, name)]));
        return (
            $"LOCK TABLE {string.Join(", ", names.Select(name => $"{_schema}.{name}"))} IN ROW EXCLUSIVE MODE",
            $"""
            SELECT CASE WHEN pg_catalog.concat({string.Join(", ", now)}) OPERATOR(pg_catalog.=) '{seen}' THEN 0
                ELSE pg_catalog.concat('{ChangedText} ', pg_catalog.pg_backend_pid())::pg_catalog.int4 END
            """);
    }

    /// <summary>The same for all tables that sections without one transaction write.</summary>
    internal string[] HoldAll() => Hold("history", "journal", "log", "batches") is var (locked, compare) ? [locked, compare] : [];
}
