using System.Text.Json;
using System.Text.Json.Serialization;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Safety;

/// <summary>What a statement was seen to do on a throw-away database.</summary>
/// <param name="Line">Where it begins; for people only.</param>
/// <param name="Locks">The strongest lock on each table that was there before, by schema and name, as PostgreSQL writes it; those that only
/// rows ask for are left out.</param>
/// <param name="Rewritten">Tables that got a new file: rewritten or emptied.</param>
/// <param name="Scanned">Tables that were read whole.</param>
/// <param name="WritesRows">Whether it may read and write rows for its own ends, so that scans tell nothing.</param>
internal sealed record RecordedStatement(
    int Line, IReadOnlyDictionary<string, string> Locks, IReadOnlyList<string> Rewritten, IReadOnlyList<string> Scanned, bool WritesRows);

/// <summary>
/// What a migration was seen to do: kept beside its file as <c>NNNN_name.trace.json</c>, and held against what its transaction does in
/// production before that commits. There it may do less, never more.
/// </summary>
/// <param name="Checksum">The checksum of the up section; a record of another text does not count.</param>
/// <param name="ServerVersion">The server that it was seen on, such as 150018.</param>
/// <param name="Statements">One for each statement of the up section.</param>
internal sealed record TraceRecord(string Checksum, int ServerVersion, IReadOnlyList<RecordedStatement> Statements)
{
    /// <summary>The SQLSTATE with which <see cref="EndCommand"/> fails; of a class that PostgreSQL leaves to its users.</summary>
    public const string SqlState = "CG001";

    private const string Setting = "chatgenius_db.certificate";

    /// <summary>
    /// Run at the start of a transaction: keeps, for this transaction, the files and counters of all tables and indexes, by number, under
    /// the name of the table or topmost parent that they belong to.
    /// </summary>
    public static string BeginCommand { get; } =
        $$"""
        WITH RECURSIVE tree AS (
            SELECT c.oid, c.oid AS root FROM pg_catalog.pg_class c
            WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND c.relpersistence <> 't'
            UNION ALL SELECT h.inhrelid, t.root FROM tree t
            JOIN pg_catalog.pg_inherits h ON h.inhparent = t.oid JOIN pg_catalog.pg_class p ON p.oid = h.inhrelid AND p.relispartition
        ), owned AS (
            SELECT oid, root FROM tree
            UNION ALL SELECT i.indexrelid, t.root FROM tree t JOIN pg_catalog.pg_index i ON i.indrelid = t.oid
        )
        SELECT pg_catalog.set_config('{{Setting}}', coalesce(pg_catalog.jsonb_object_agg(o.oid::text, pg_catalog.jsonb_build_array(
            n.nspname || '.' || r.relname, CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_relation_filenode(c.oid)::int8 END,
            coalesce(pg_catalog.pg_stat_get_xact_numscans(o.oid), 0))), '{}')::text, true) IS NULL
        FROM owned o
        JOIN pg_catalog.pg_class c ON c.oid = o.oid
        JOIN pg_catalog.pg_class r ON r.oid = o.root
        JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
        """;

    /// <summary>Whether scans are held against the record: a query in the migration may read tables as it sees fit.</summary>
    [JsonIgnore]
    public bool ComparesScans => !Statements.Any(statement => statement.WritesRows);

    /// <summary>
    /// Run before the transaction commits: fails with <see cref="SqlState"/>, one line for each difference, when it holds a stronger lock,
    /// wrote a table anew or read one whole that the record does not have.
    /// </summary>
    [JsonIgnore]
    public string EndCommand =>
        $"""
        DO $cgdb$
        DECLARE
            seen constant pg_catalog.jsonb := pg_catalog.current_setting('{Setting}');
            certified constant pg_catalog.jsonb :=
                {SqlLiteral.Quote(JsonSerializer.Serialize(Allowed(), AllowedWorkContext.Default.AllowedWork))};
            excess pg_catalog.text;
        BEGIN
            SELECT pg_catalog.string_agg(line, E'\n' ORDER BY line) INTO excess FROM (
                SELECT pg_catalog.upper(pg_catalog.replace(
                           pg_catalog.regexp_replace(max(strength.mode), '(?<=[a-z])([A-Z])', ' \1', 'g'), ' Lock', ''))
                       || ' on ' || held.name || ' is stronger than certified' AS line
                FROM (
                    SELECT seen -> l.relation::text ->> 0 AS name, max(pg_catalog.array_position(ARRAY[{ModeList}], l.mode)) AS strength
                    FROM pg_catalog.pg_locks l
                    WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted AND seen ? l.relation::text
                      AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
                    GROUP BY 1
                ) held
                JOIN pg_catalog.unnest(ARRAY[{ModeList}]) WITH ORDINALITY AS strength (mode, number) ON strength.number = held.strength
                WHERE held.strength > coalesce((certified -> 'Locks' ->> held.name)::int, {(int)LockMode.RowExclusive})
                GROUP BY held.name
                UNION
                SELECT (before.value ->> 0) || ' was written to a new file, which is not certified'
                FROM pg_catalog.jsonb_each(seen) before
                WHERE before.value ->> 1 <> pg_catalog.pg_relation_filenode(before.key::pg_catalog.oid)::text
                  AND NOT certified -> 'Rewritten' ? (before.value ->> 0)
                UNION
                SELECT (before.value ->> 0) || ' was read whole, which is not certified'
                FROM pg_catalog.jsonb_each(seen) before
                WHERE before.value -> 1 <> 'null'
                  AND pg_catalog.pg_stat_get_xact_numscans(before.key::pg_catalog.oid) > (before.value ->> 2)::int8
                  AND {(ComparesScans ? "true" : "false")} AND NOT certified -> 'Scanned' ? (before.value ->> 0)
            ) differences;
            IF excess IS NOT NULL THEN
                RAISE EXCEPTION USING ERRCODE = '{SqlState}', MESSAGE = excess;
            END IF;
        END $cgdb$
        """;

    private static string ModeList =>
        string.Join(", ", Enum.GetValues<LockMode>().Where(mode => mode != LockMode.None).Select(mode => $"'{mode}Lock'"));

    /// <summary>The record of a migration that ran to its end as one transaction; null for any other.</summary>
    internal static TraceRecord? Of(MigrationFacts facts)
    {
        var (up, trace) = (facts.Migration.Up, facts.Trace);
        return trace.Completed && up.Transactional && trace.Statements.All(s => s.Error is null && s.Outcome == TraceOutcome.Ran)
            ? new TraceRecord(up.Script.Checksum, trace.ServerVersion, [.. facts.Statements.Select(Record)])
            : null;
    }

    /// <summary>The record as it is kept, with a line break at its end.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, TraceRecordContext.Default.TraceRecord) + "\n";

    /// <summary>Reads a record.</summary>
    /// <exception cref="ProblemException">CG1213: the file is none.</exception>
    public static TraceRecord Parse(string path, string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, TraceRecordContext.Default.TraceRecord) ?? throw new JsonException("It is empty.");
        }
        catch (JsonException e)
        {
            throw new ProblemException("CG1213", $"{path} is not a certificate: {e.Message}",
                advice: "Make it again with 'chatgenius-db check --certify'.", cause: e);
        }
    }

    private static RecordedStatement Record(StatementFacts s)
    {
        var locks = s.LockedTables(LockMode.ShareUpdateExclusive, s.Trace.Locks)
            .Select(table => (table, Mode: s.Trace.Locks.Relations.Where(relation => s.Migration.WasThere(relation)
                && s.Migration.Before.Root(relation) == table.Oid).Max(s.Trace.Locks.On)))
            .OrderBy(item => Name(item.table), StringComparer.Ordinal)
            .ToDictionary(item => Name(item.table), item => item.Mode.ToSql());
        return new RecordedStatement(
            s.Trace.Statement.Location.Line, locks, Names(s, s.Refiled.Select(table => table.Oid)),
                Names(s, s.Trace.Activity.Where(pair => pair.Value.SequentialScans > 0).Select(pair => pair.Key)),
            s.OnlyRows || s.Text.Is("DO") || s.Text.Is("CALL") || s.Text.Has("AS", "SELECT") || s.Text.Is("REFRESH"));
    }

    private static string[] Names(StatementFacts s, IEnumerable<uint> tables) =>
    [
        .. tables.Where(s.Migration.WasThere).Select(table => s.Migration.Before.Find(s.Migration.Before.Root(table))!).Select(Name)
            .Distinct().Order(StringComparer.Ordinal),
    ];

    private static string Name(Relation table) => $"{table.Schema}.{table.Name}";

    private AllowedWork Allowed() => new(
        Statements.SelectMany(statement => statement.Locks).GroupBy(pair => pair.Key)
            .ToDictionary(table => table.Key, table => table.Max(pair => (int)LockModes.FromSql(pair.Value))),
        [.. Statements.SelectMany(statement => statement.Rewritten).Distinct()],
        [.. Statements.SelectMany(statement => statement.Scanned).Distinct()]);

    /// <summary>The strongest lock on each table.</summary>
    internal IReadOnlyDictionary<TableName, LockMode> Locks() => Statements.SelectMany(statement => statement.Locks)
        .GroupBy(pair => pair.Key.Split('.', 2) is [var schema, var name] ? new TableName(schema, name) : new TableName("", pair.Key))
        .ToDictionary(table => table.Key, table => table.Max(pair => LockModes.FromSql(pair.Value)));
}

/// <summary>What a transaction may do as a whole; locks as numbers.</summary>
internal sealed record AllowedWork(IReadOnlyDictionary<string, int> Locks, IReadOnlyList<string> Rewritten, IReadOnlyList<string> Scanned);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(TraceRecord))]
internal sealed partial class TraceRecordContext : JsonSerializerContext;

[JsonSerializable(typeof(AllowedWork))]
internal sealed partial class AllowedWorkContext : JsonSerializerContext;
