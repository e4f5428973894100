using System.Globalization;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Migrations;

/// <summary>What one statement of a migration has kept of one table.</summary>
/// <param name="Version">The migration.</param>
/// <param name="Statement">The statement, counted from 1.</param>
/// <param name="Table">The table, as SQL, with its schema.</param>
/// <param name="IsRows">Whether they are whole rows.</param>
/// <param name="Count">Of how many rows.</param>
/// <param name="Columns">Which columns.</param>
/// <param name="Conflict">Why they could not be put back, where that was tried.</param>
/// <param name="Since">When the first of them was kept.</param>
internal sealed record KeptGroup(
    long Version, int Statement, string Table, bool IsRows, long Count, IReadOnlyList<string> Columns, string? Conflict, DateTime Since)
{
    /// <summary>As a sentence names it: <c>rows of public.notes</c>, <c>public.notes (title, body)</c>.</summary>
    public string Display => IsRows ? $"rows of {Table}" : $"values of {Table} ({string.Join(", ", Columns.Select(SqlIdentifier.Quote))})";
}

/// <summary>Where and how a rollback puts kept values back.</summary>
internal static class KeptRestore
{
    /// <summary>The places, each as the number of the statement before which a table's values are put back; the count of statements for
    /// after the last one.</summary>
    /// <param name="step">The down section.</param>
    /// <param name="groups">What was kept.</param>
    /// <param name="catalog">The catalog before it runs.</param>
    /// <remarks>
    /// Not before the statement that brings the table or the last of its columns back; and as late after it as can be, so that what the
    /// section computes does not come over the values; but before constraints of the table are set, and before it goes or is renamed,
    /// also where another one takes its name.
    /// </remarks>
    internal static IReadOnlyDictionary<string, int> Places(MigrationStep step, IEnumerable<KeptGroup> groups, LossCatalog catalog)
    {
        var statements = step.Section.Script.Statements.Select(statement => new StatementText(statement)).ToList();
        var tables = groups.ToLookup(group => group.Table, group => group.Columns);
        return tables.ToDictionary(table => table.Key, table =>
        {
            if (step.Section.Restore is { } marked)
            {
                return marked;
            }

            var columns = table.SelectMany(names => names).ToHashSet(StringComparer.Ordinal);
            var there = LossReader.Follow([step], catalog, model => Found(model, table.Key, columns));
            var earliest = Enumerable.Range(0, statements.Count).LastOrDefault(i => there[i + 1] is not null && there[i] is null, -1) + 1;
            var place = earliest;
            while (place < statements.Count && there[place + 1] is { } next && ReferenceEquals(next, there[place])
                && !Constrains(statements[place], table.Key))
            {
                place++;
            }

            return place;
        });
    }

    /// <summary>The table that has the name, with these columns. Of one that the section makes, the columns aren't followed.</summary>
    private static ModelRelation? Found(LossModel model, string table, HashSet<string> columns) =>
        model.Relations.FirstOrDefault(relation => SqlIdentifier.Quote(relation.Schema.Name, relation.Name) == table) is { } found
            && (found.Origin is null || columns.IsSubsetOf(found.Columns.Keys)) ? found : null;

    /// <summary>Whether a statement sets NOT NULL, a key or another constraint that has to do with a table.</summary>
    private static bool Constrains(StatementText text, string table)
    {
        if (!text.Statement.Is("ALTER", "TABLE") && !text.Statement.Is("CREATE", "UNIQUE", "INDEX"))
        {
            return false;
        }

        var bare = table[(table.LastIndexOf('.') + 1)..].Trim('"').Replace("\"\"", "\"", StringComparison.Ordinal);
        var sets = text.Is("CREATE") || text.Has("SET", "NOT", "NULL") || text.Has("ADD", "CONSTRAINT") || text.Has("ADD", "PRIMARY")
            || text.Has("ADD", "UNIQUE") || text.Has("ADD", "FOREIGN") || text.Has("ADD", "CHECK") || text.Has("ADD", "EXCLUDE")
            || text.Has("VALIDATE", "CONSTRAINT") || text.Has("ADD", "NOT", "NULL");
        return sets && text.Tokens.Any(token => token.Name == bare);
    }

    /// <summary>What is sent around the statements of a down section.</summary>
    /// <param name="schema">The history's schema, quoted.</param>
    /// <param name="version">The migration.</param>
    /// <param name="places">From <see cref="Places"/>.</param>
    /// <param name="at">Before which statement.</param>
    internal static IEnumerable<StepCommand> At(string schema, long version, IReadOnlyDictionary<string, int> places, int at)
    {
        if (at == 0)
        {
            yield return KeptRestoreSql.Judge(schema, version);
        }

        var tables = places.Where(place => place.Value == at).Select(place => place.Key).Order(StringComparer.Ordinal).ToList();
        if (tables.Count > 0)
        {
            yield return KeptRestoreSql.PutBack(schema, version, tables);
        }
    }

    /// <summary>The bytes of the table; <c>null</c> where there is no such table, or our role may not read it.</summary>
    internal static Task<long?> SizeAsync(Session session, string schema, CancellationToken cancellationToken) =>
        session.ScalarAsync<long?>(
            $"""
            SELECT CASE WHEN has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE') THEN pg_relation_size(c.oid) END
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relname = 'kept' AND quote_ident(n.nspname) = {SqlLiteral.Quote(schema)}
            """,
            cancellationToken);

    /// <summary>Reads what was kept; <c>null</c> where there is no such table, or our role may not read it.</summary>
    /// <param name="session">A session outside of a transaction.</param>
    /// <param name="history">The history.</param>
    /// <param name="versions">Of which migrations; null for all.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    internal static async Task<IReadOnlyList<KeptGroup>?> ReadAsync(
        Session session, History history, IEnumerable<long>? versions, CancellationToken cancellationToken)
    {
        // A table without a page has no row; most have none.
        var size = await SizeAsync(session, history.Schema, cancellationToken);
        if (size is null or 0)
        {
            return size is null ? null : [];
        }

        var kept = HistoryTables.From(history.Schema, "kept");
        var wanted = versions?.Select(version => version.ToString(CultureInfo.InvariantCulture)).ToList();
        return wanted is [] ? [] : await history.ReadTableAsync(
            "kept",
            session,
            [$"""
            SELECT g.version, g.statement, g.table_name, g.kind = 'row', g.count, ARRAY(SELECT jsonb_object_keys(k.old_values) ORDER BY 1),
                g.conflict, g.since
            FROM (SELECT version, statement, table_name, kind, conflict, count(*) AS count, min(id) AS id, min(kept_at) AS since
                FROM {kept} AND {(wanted is null ? "true" : $"version IN ({string.Join(", ", wanted)})")} GROUP BY 1, 2, 3, 4, 5) g
            JOIN (SELECT * FROM {kept}) k ON k.version = g.version AND k.id = g.id ORDER BY 1, 2, 3, 4, 7
            """],
            reader => Session.ResultAsync(
                reader,
                row => new KeptGroup(row.GetInt64(0), row.GetInt32(1), row.GetString(2), row.GetBoolean(3), row.GetInt64(4),
                    row.GetFieldValue<string[]>(5), row.IsDBNull(6) ? null : row.GetString(6), row.GetDateTime(7)),
                cancellationToken),
            cancellationToken);
    }
}
