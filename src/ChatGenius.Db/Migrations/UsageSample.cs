using System.Text;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Migrations;

/// <summary>A table, or a column of one, that is looked at.</summary>
/// <param name="Oid">The table's.</param>
/// <param name="Column">The column's number; 0 for the whole table.</param>
/// <param name="Schema">The table's schema.</param>
/// <param name="Table">The table's name.</param>
/// <param name="ColumnName">The column's name; null for the whole table.</param>
internal sealed record UsageTarget(uint Oid, short Column, string Schema, string Table, string? ColumnName)
{
    internal string Display => Names.Qualified(Schema, Table) + (ColumnName is null ? "" : $".{SqlIdentifier.Quote(ColumnName)}");
}

/// <summary>What the counters of one server said at one time. They only grow, as long as it is the same life of the same server.</summary>
/// <param name="Node">Which server; empty for the primary.</param>
/// <param name="Life">Changes with every reset of the statistics, crash and other server; then of the statements' counters, empty where
/// statements are not counted.</param>
/// <param name="At">When.</param>
/// <param name="Counters">
/// By kind and number: <c>t</c> sequential scans of a table, <c>i</c> scans of an index, <c>w</c> rows written into a table, <c>q</c> calls
/// of a statement that names the column, <c>*</c> calls of one that may read all columns.
/// </param>
internal sealed record UsageSample(
    string Node, (string Server, string Statements) Life, DateTime At, IReadOnlyDictionary<string, long> Counters)
{
    /// <summary>Why nothing could be read there; the rest says nothing then.</summary>
    internal string? Missing { get; init; }

    /// <summary>When it was last read, where the server says so (16 and later).</summary>
    internal string? LastRead { get; init; }

    /// <summary>The texts of the statements that are counted.</summary>
    internal IReadOnlyDictionary<string, string> Texts { get; init; } = new Dictionary<string, string>();

    /// <summary>The sessions on this database by <c>application_name</c>.</summary>
    internal IReadOnlyDictionary<string, long> Applications { get; init; } = new Dictionary<string, long>();

    /// <summary>How many standbys are connected.</summary>
    internal long Standbys { get; init; }

    /// <summary>What the life is called in the table.</summary>
    internal string StoredLife => $"{Life.Server}|{Life.Statements}";

    /// <summary>Reads them. Nothing of the table itself is read: that would count.</summary>
    /// <param name="session">A session on that server, outside of a transaction.</param>
    /// <param name="node">What the server is called.</param>
    /// <param name="target">What is looked at.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    internal static async Task<UsageSample> ReadAsync(
        Session session, string node, UsageTarget target, CancellationToken cancellationToken)
    {
        var sample = (await session.RowsAsync(
            Server,
            row => new UsageSample(node, (row.GetString(0), ""), row.GetDateTime(1), new Dictionary<string, long>())
            {
                Standbys = row.GetInt64(2),
                Missing = row.GetString(3) == "on" ? null : "it does not count what is read (track_counts is off)",
                Applications = row.GetFieldValue<string[]>(4).Zip(row.GetFieldValue<long[]>(5)).ToDictionary(one => one.First,
                    one => one.Second),
            },
            cancellationToken))[0];
        var counters = new Dictionary<string, long>();
        string? last = null;
        foreach (var (key, count, read) in await session.RowsAsync(
            new SqlQuery(Relations, target.Oid),
            row => (row.GetString(0), row.GetInt64(1), row.IsDBNull(2) ? null : row.GetString(2)), cancellationToken))
        {
            counters[key] = count;
            last = string.CompareOrdinal(read, last) > 0 ? read : last;
        }

        sample = sample with { Counters = counters, LastRead = last };
        return sample.Missing is not null || target.ColumnName is null ? sample
            : await WithStatementsAsync(session, sample, target, counters, cancellationToken);
    }

    private static async Task<UsageSample> WithStatementsAsync(
        Session session, UsageSample sample, UsageTarget target, Dictionary<string, long> counters, CancellationToken cancellationToken)
    {
        if (await session.ScalarAsync<string>(Extension, cancellationToken) is not { } schema)
        {
            return sample;
        }

        var life = await session.ScalarAsync<string>(
            $"SELECT concat_ws('/', extract(epoch FROM i.stats_reset), i.dealloc) FROM {schema}.pg_stat_statements_info i",
            cancellationToken);
        var texts = new Dictionary<string, string>();
        foreach (var (id, calls, text) in await session.RowsAsync(
            new SqlQuery(
                $"""
                SELECT coalesce(s.queryid::text, ''), sum(s.calls)::int8, min(s.query) FROM {schema}.pg_stat_statements s
                WHERE s.dbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())
                    AND strpos(lower(s.query), lower($1)) > 0 GROUP BY 1
                """,
                target.Table),
            row => (row.GetString(0), row.GetInt64(1), row.GetString(2)), cancellationToken))
        {
            if (KindOf(text, target) is { } kind)
            {
                counters[kind + id] = calls;
                texts[kind + id] = text;
            }
        }

        return sample with { Life = (sample.Life.Server, life ?? ""), Texts = texts };
    }

    /// <summary>How a statement uses a column: <c>q</c> by its name, <c>*</c> perhaps with all others; null for not at all.</summary>
    internal static char? KindOf(string text, UsageTarget target)
    {
        var source = Encoding.UTF8.GetBytes(text);
        var tokens = StatementText.Read(source, new SqlLexer(source, 0));
        if (tokens.Count == 0 || !Verbs.Contains(tokens[0].Text) || !tokens.Exists(token => token.Name == target.Table))
        {
            return null;
        }

        // A dump names all columns, and needs none of them.
        var isCopy = tokens[0].Is("COPY");
        return !isCopy && tokens.Exists(token => token.Name == target.ColumnName) ? 'q'
            : isCopy || tokens[0].Is("TABLE") || ReadsAll() ? '*' : null;

        bool ReadsAll()
        {
            for (var i = 1; i < tokens.Count; i++)
            {
                // Not a multiplication, and not count(*).
                if ((tokens[i].Is("*") && (Before.Contains(tokens[i - 1].Text) || tokens[i - 1].Is(".") || tokens[i - 1].Is(",")))
                    || (tokens[i - 1].Is("INTO") && tokens[i].Name is not null && !ListsColumns(i)))
                {
                    return true;
                }
            }

            return false;
        }

        bool ListsColumns(int name)
        {
            while (name + 2 < tokens.Count && tokens[name + 1].Is("."))
            {
                name += 2;
            }

            return name + 1 < tokens.Count && tokens[name + 1].Is("(");
        }
    }

    private static readonly string[] Verbs = ["SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "TABLE", "DECLARE"];

    private static readonly string[] Before = ["SELECT", "ALL", "DISTINCT", "RETURNING"];

    // The statistics of the server as a whole begin with a crash, and with each copy of a server; of a database, with every reset of
    // something in it. Who only receives the log replays nothing; a role that may not see that sees no position at all.
    private const string Server =
        """
        SELECT concat_ws(' ', (SELECT c.system_identifier FROM pg_catalog.pg_control_system() c),
                (SELECT extract(epoch FROM b.stats_reset) FROM pg_catalog.pg_stat_bgwriter b),
                (SELECT extract(epoch FROM d.stats_reset) FROM pg_catalog.pg_stat_database d WHERE d.datname = current_database())),
            clock_timestamp(),
            (SELECT count(*) FROM pg_catalog.pg_stat_replication r WHERE r.state IS NULL OR r.replay_lsn IS NOT NULL),
            current_setting('track_counts'), coalesce(array_agg(a.name), '{}'), coalesce(array_agg(a.count), '{}')
        FROM (SELECT coalesce(a.application_name, '') AS name, count(*) AS count FROM pg_catalog.pg_stat_activity a
            WHERE a.datname = current_database() GROUP BY 1) a
        """;

    private const string Relations =
        """
        WITH RECURSIVE tree AS (
            SELECT $1::oid AS oid UNION SELECT i.inhrelid FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.oid)
        SELECT 't' || s.relid, s.seq_scan, greatest(to_jsonb(s) ->> 'last_seq_scan', to_jsonb(s) ->> 'last_idx_scan')
        FROM tree JOIN pg_catalog.pg_stat_all_tables s ON s.relid = tree.oid
        UNION ALL SELECT 'w' || s.relid, s.n_tup_ins + s.n_tup_upd + s.n_tup_del, NULL
        FROM tree JOIN pg_catalog.pg_stat_all_tables s ON s.relid = tree.oid
        UNION ALL SELECT 'i' || x.indexrelid, x.idx_scan, NULL
        FROM tree JOIN pg_catalog.pg_stat_all_indexes x ON x.relid = tree.oid
        """;

    // Of others' statements a role without pg_read_all_stats sees no text, and an extension before 1.9 does not say when it began.
    private const string Extension =
        """
        SELECT quote_ident(n.nspname) FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'pg_stat_statements' AND pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')
            AND EXISTS (SELECT FROM pg_catalog.pg_settings s WHERE s.name = 'pg_stat_statements.max')
            AND to_regclass(quote_ident(n.nspname) || '.pg_stat_statements_info') IS NOT NULL
        """;
}
