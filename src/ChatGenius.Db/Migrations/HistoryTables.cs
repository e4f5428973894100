using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Migrations;

/// <summary>The tables of the history's schema: how they are made, and what is looked at before they are used.</summary>
/// <remarks>
/// <c>format</c> says which layout they have. Tool 0.1.0 made layout 1: <c>format</c> without a key, <c>history</c> without <c>up_sql</c>,
/// and <c>journal</c>. Layout 2 has them all. A later layout is refused, an earlier one is brought up to this one by a run that has the
/// lock; a command that only reads takes what it finds.
/// </remarks>
internal static partial class HistoryTables
{
    /// <summary>The layout that this version makes.</summary>
    internal const int Format = 2;

    /// <summary>The name of the first column of <see cref="SelectFacts"/>.</summary>
    internal const string FactsMark = "chatgenius_db_facts";

    // Columns and constraints as the server writes them where names are looked for in pg_catalog only: what is found is compared with these
    // to the letter.
    private static readonly (string Name, string[] Columns, string[] Constraints)[] Tables =
    [
        ("format", ["version integer NOT NULL"], ["PRIMARY KEY (version)"]),
        ("history",
            [
                "version bigint NOT NULL",
                "name text NOT NULL",
                "checksum text NOT NULL",
                "down_checksum text NOT NULL",
                "down_sql text NOT NULL",
                "applied_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()",
                "duration_ms double precision NOT NULL",
                "applied_by text NOT NULL DEFAULT SESSION_USER",
                "tool_version text NOT NULL",
                "origin text NOT NULL",
                "retries integer NOT NULL DEFAULT 0",
                "backup text",
                "up_sql text",
            ],
            ["CHECK ((origin = ANY (ARRAY['bundle'::text, 'folder'::text, 'baseline'::text])))", "PRIMARY KEY (version)"]),
        // Statement-level progress of non-transactional sections. A row is there from a statement's begin until the whole section is in the
        // history;
        // what is left after a crash says where to go on.
        ("journal",
            [
                "version bigint NOT NULL",
                "direction text NOT NULL",
                "statement integer NOT NULL",
                "name text NOT NULL",
                "count integer NOT NULL",
                "checksum text NOT NULL",
                "started_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()",
                "finished_at timestamp with time zone",
                "pid integer NOT NULL DEFAULT pg_backend_pid()",
                "backend_start timestamp with time zone NOT NULL",
            ],
            ["CHECK ((direction = ANY (ARRAY['up'::text, 'down'::text])))", "PRIMARY KEY (version, statement)"]),
        // Everything that was done, and what was tried. Its actions are not listed here: a later version may add one without another
        // layout.
        ("log",
            [
                "id bigint NOT NULL GENERATED ALWAYS AS IDENTITY",
                "at timestamp with time zone NOT NULL DEFAULT clock_timestamp()",
                "action text NOT NULL",
                "command text NOT NULL",
                "version bigint",
                "name text",
                "duration_ms double precision",
                "done_by text NOT NULL DEFAULT SESSION_USER",
                "tool_version text NOT NULL",
                "error text",
                "statement text",
                "detail text",
            ],
            ["PRIMARY KEY (id)"]),
        // Progress of sections that go in batches; who may write control can have them pause.
        ("batches",
            [
                "version bigint NOT NULL",
                "direction text NOT NULL",
                "statement integer NOT NULL",
                "name text NOT NULL",
                "checksum text NOT NULL",
                "key text NOT NULL",
                "last_key text",
                "upper_key text",
                "size bigint",
                "row_count bigint NOT NULL DEFAULT 0",
                "changed_count bigint NOT NULL DEFAULT 0",
                "slice_count bigint NOT NULL DEFAULT 0",
                "pass integer NOT NULL DEFAULT 1",
                "duration_ms double precision NOT NULL DEFAULT 0",
                "wal_bytes numeric NOT NULL DEFAULT 0",
                "started_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()",
                "changed_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()",
                "finished_at timestamp with time zone",
                "control text",
            ],
            ["PRIMARY KEY (version, direction, statement)"]),
        // What migrations dropped, overwrote or deleted, a line for each row of a table; the values are texts by column. A row that was
        // deleted has all its columns, and no new values. What could not be put back says why.
        ("kept",
            [
                "id bigint NOT NULL GENERATED ALWAYS AS IDENTITY",
                "version bigint NOT NULL",
                "statement integer NOT NULL",
                "table_name text NOT NULL",
                "kind text NOT NULL",
                "key jsonb NOT NULL",
                "old_values jsonb NOT NULL",
                "new_values jsonb",
                "conflict text",
                "kept_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()",
            ],
            ["CHECK ((kind = ANY (ARRAY['row'::text, 'values'::text])))", "PRIMARY KEY (version, id)"]),
        // The first samples of what is watched before it is dropped: a line for each table or column (0: the whole table), and for each
        // server; node is empty for the primary.
        ("watched",
            [
                "table_oid oid NOT NULL",
                "column_number smallint NOT NULL",
                "node text NOT NULL",
                "life text NOT NULL",
                "counters jsonb NOT NULL",
                "sampled_at timestamp with time zone NOT NULL",
                "sampled_by text NOT NULL DEFAULT SESSION_USER",
            ],
            ["PRIMARY KEY (table_oid, column_number, node)"]),
        // Each text of a repeatable object that was the last one while a migration was the newest.
        ("repeatable",
            [
                "name text NOT NULL",
                "version bigint NOT NULL",
                "checksum text NOT NULL",
                "sql text NOT NULL",
                "applied_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()",
                "applied_by text NOT NULL DEFAULT SESSION_USER",
                "tool_version text NOT NULL",
            ],
            ["PRIMARY KEY (name, version)"]),
    ];

    // What tool 0.1.0 did not make.
    private static readonly string[] Later = ["format PRIMARY KEY (version)", "history up_sql text"];

    /// <summary>The tables' names.</summary>
    internal static IReadOnlyList<string> Names { get; } = [.. Tables.Select(table => table.Name)];

    /// <summary>Creates the schema; where it is there, who may not create one need not.</summary>
    /// <param name="schema">The schema, quoted.</param>
    /// <param name="isNew">Whether it is not there, so that one that is there by now is somebody else's.</param>
    internal static string CreateSchema(string schema, bool isNew = false) =>
        $"CREATE SCHEMA {(isNew ? "" : "IF NOT EXISTS ")}{schema}";

    /// <summary>
    /// Makes what is missing; each statement may run again. To be run in one transaction, with a <c>search_path</c> that has nobody else's
    /// objects.
    /// </summary>
    /// <param name="schema">The schema, quoted.</param>
    /// <param name="place">What is there; <c>null</c> where that isn't known.</param>
    internal static IEnumerable<string> CreateStatements(string schema, HistoryPlace? place)
    {
        var missing = Tables.Where(table => place is null || place.Missing.Contains(table.Name)).ToList();
        foreach (var (name, columns, constraints) in missing)
        {
            // What somebody has put there since it was looked at is not ours.
            var unless = place is null ? "IF NOT EXISTS " : "";
            yield return $"CREATE TABLE {unless}{schema}.{name} (\n    {string.Join(",\n    ", [.. columns, .. constraints])}\n)";
        }

        var secret = missing.Where(table => table.Name is "log" or "kept" or "watched").Select(table =>
            $"{Literal(schema, table.Name)}::pg_catalog.regclass").ToList();
        if (secret.Count > 0)
        {
            // Default privileges may have granted them to others.
            yield return $"""
                DO $$
                DECLARE given record;
                BEGIN
                    FOR given IN
                        SELECT c.oid::pg_catalog.regclass AS name, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE
                            pg_catalog.quote_ident(r.rolname) END AS grantee
                        FROM pg_catalog.pg_class c
                        CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) a LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
                        WHERE c.oid IN ({string.Join(", ", secret)}) AND a.grantee <> c.relowner
                    LOOP
                        EXECUTE pg_catalog.format('REVOKE ALL ON %s FROM %s', given.name, given.grantee);
                    END LOOP;
                END $$
                """;
        }

        if (place is null || (place.Has("format") && !place.FormatHasKey))
        {
            yield return $"""
                DO $$
                BEGIN
                    IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = {Literal(schema, "format")}::pg_catalog.regclass
                        AND contype = 'p') THEN
                        ALTER TABLE {schema}.format ADD PRIMARY KEY (version);
                    END IF;
                END $$
                """;
        }

        if (place is null || (place.Has("history") && !place.KeepsUp))
        {
            yield return $"ALTER TABLE {schema}.history ADD COLUMN IF NOT EXISTS up_sql text";
        }

        yield return $"UPDATE {schema}.format SET version = {Format} WHERE version < {Format}";
        yield return $"INSERT INTO {schema}.format SELECT {Format} WHERE NOT EXISTS (SELECT FROM {schema}.format)";
    }

    /// <summary>An SQL expression, for any <c>search_path</c>: whether something of the tables is missing.</summary>
    /// <param name="schema">The schema's name, not quoted.</param>
    internal static string IsIncomplete(string schema)
    {
        var names = string.Join(", ", Names.Select(name => $"({SqlLiteral.Quote(SqlIdentifier.Quote(schema, name))})"));
        return $"(SELECT pg_catalog.bool_or(pg_catalog.to_regclass(name) IS NULL) FROM (VALUES {names}) AS t (name))";
    }

    /// <summary>
    /// Reads what a run must know of the server and of the history's place; one row, whatever is there. To be run with a <c>search_path</c>
    /// of <c>pg_catalog</c> only, and where the history's own rows are read next, under a lock on its tables.
    /// </summary>
    /// <remarks>
    /// Tables count as ours only if they are exactly as we make them: an expression, a trigger, a rule or a policy of somebody else's would
    /// run with our rights. One that is not is strange, and <see cref="Guard"/> refuses it; of <see cref="Optional"/>, it counts as not
    /// there until it is needed.
    /// </remarks>
    /// <param name="schema">The schema's name, not quoted.</param>
    /// <param name="needs">Which of <see cref="Optional"/> is to be read next, so that a wrong one is refused as well.</param>
    internal static string SelectFacts(string schema, string? needs = null)
    {
        var optional = string.Join(',', Optional);
        const string Ours = "((SELECT array_agg(oid) FROM rel)::oid[])";
        return $$"""
            WITH rel AS (
                SELECT c.oid, c.relname::text AS name, c.relowner, c.relacl,
                    CASE WHEN c.relkind = 'r' AND c.relpersistence = 'p' AND c.reloftype = 0 AND c.relam = 2 THEN '' ELSE
                        '; not an ordinary table' END
                    || CASE WHEN c.relrowsecurity OR c.relforcerowsecurity THEN '; row-level security' ELSE '' END AS odd
                FROM pg_catalog.pg_class c
                WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = {{SqlLiteral.Quote(schema)}})
                    AND c.relname = ANY
                    ('{{{string.Join(',', Names)}}}'::name[])
            ),
            item (rel, text) AS (
                SELECT k.attrelid, {{ColumnText}}
                FROM pg_catalog.pg_attribute k WHERE k.attrelid = ANY {{Ours}} AND k.attnum > 0 AND NOT k.attisdropped
                UNION ALL SELECT conrelid, pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint WHERE conrelid = ANY {{Ours}}
                    AND contype <> 'n'
                UNION ALL SELECT indrelid, 'the index ' || indexrelid::regclass FROM pg_catalog.pg_index WHERE indrelid = ANY {{Ours}}
                    AND NOT
                    indisprimary
                UNION ALL SELECT tgrelid, 'the trigger ' || tgname FROM pg_catalog.pg_trigger WHERE tgrelid = ANY {{Ours}}
                UNION ALL SELECT ev_class, 'the rule ' || rulename FROM pg_catalog.pg_rewrite WHERE ev_class = ANY {{Ours}}
                UNION ALL SELECT polrelid, 'the policy ' || polname FROM pg_catalog.pg_policy WHERE polrelid = ANY {{Ours}}
                UNION ALL SELECT stxrelid, 'the statistics ' || stxname FROM pg_catalog.pg_statistic_ext WHERE stxrelid = ANY {{Ours}}
                UNION ALL SELECT srrelid, '{{Subscribed}}' FROM pg_catalog.pg_subscription_rel WHERE srrelid = ANY {{Ours}}
                UNION ALL SELECT inhrelid, 'inheritance' FROM pg_catalog.pg_inherits WHERE inhrelid = ANY {{Ours}}
                UNION ALL SELECT inhparent, 'inheritance' FROM pg_catalog.pg_inherits WHERE inhparent = ANY {{Ours}}
            ),
            found AS (
                SELECT rel.*, name || ': ' || coalesce(shape.text, '') || odd AS shape
                FROM rel LEFT JOIN (SELECT rel, string_agg(text, '; ' ORDER BY text COLLATE "C") AS text FROM item GROUP BY rel) shape ON
                    shape.rel = rel.oid
            ),
            judged AS (SELECT found.*, shape <> ALL (ARRAY[{{ShapeList()}}]::text[]) AS strange FROM found)
            SELECT {{Server}}, EXISTS (SELECT FROM pg_catalog.pg_event_trigger WHERE evtenabled <> 'D'),
                n.oid IS NOT NULL, ARRAY(SELECT name FROM judged WHERE NOT strange OR name <> ALL ('{{{optional}}}') ORDER BY name),
                coalesce(f.shape LIKE '%PRIMARY KEY%', false), coalesce(h.shape LIKE '%; up_sql text; %', false),
                {{Rights}},
                ARRAY(SELECT pg_get_userbyid(relowner)::text || E'\n' || shape FROM judged WHERE strange ORDER BY name),
                ARRAY(SELECT DISTINCT CASE w.id WHEN 0 THEN 'everybody' ELSE pg_get_userbyid(w.id)::text END
                    FROM (
                        SELECT unnest(ARRAY[h.relowner, p.relowner]) AS id
                        UNION SELECT a.grantee FROM (
                            SELECT h.relacl UNION ALL SELECT p.relacl UNION ALL SELECT k.attacl FROM pg_catalog.pg_attribute k
                                WHERE k.attrelid IN (h.oid, p.oid)) given (acl),
                            aclexplode(given.acl) a WHERE a.privilege_type IN ('INSERT', 'UPDATE')
                        UNION SELECT m.member FROM pg_catalog.pg_auth_members m WHERE h.oid IS NOT NULL
                            AND m.roleid = to_regrole('pg_write_all_data')) w
                    LEFT JOIN pg_catalog.pg_roles r ON r.oid = w.id
                    WHERE w.id IS NOT NULL AND CASE WHEN r.oid IS NULL THEN true ELSE NOT (r.rolsuper OR pg_has_role(r.oid, u.oid,
                        'MEMBER')) END),
                set_config('{{StrangeSetting}}', (SELECT count(*)::text FROM judged WHERE
                    strange AND name <> ALL ('{{{string.Join(',', Optional.Where(name => name != needs))}}}')), true),
                ARRAY(SELECT {{Print("judged.oid")}} FROM judged WHERE NOT strange OR name <> ALL ('{{{optional}}}') ORDER BY name),
                ARRAY(SELECT name FROM judged WHERE pg_relation_size(judged.oid) = 0),
                -- Who owns the schema may rename it at any moment.
                NOT pg_is_in_recovery() AND has_table_privilege('pg_catalog.pg_namespace', 'UPDATE')
                    AND coalesce(NOT (o.rolsuper OR pg_has_role(o.oid, u.oid, 'MEMBER')), false),
                {{SetOids("judged")}}
            FROM (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = session_user) u
            LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = {{SqlLiteral.Quote(schema)}}
            LEFT JOIN pg_catalog.pg_roles o ON o.oid = n.nspowner
            LEFT JOIN judged f ON f.name = 'format' LEFT JOIN judged h ON h.name = 'history' LEFT JOIN judged l ON l.name = 'log' AND NOT
                l.strange LEFT JOIN judged p ON p.name = 'repeatable' AND NOT p.strange
            """;
    }

    /// <summary>An SQL expression, for any <c>search_path</c>: a text that is another one after every change to a table by which code of
    /// somebody's would run.</summary>
    /// <param name="oid">An SQL expression: the table.</param>
    /// <remarks>It is compared with each migration, so what <c>pg_class</c> knows not to be there is not looked for.</remarks>
    internal static string Print(string oid)
    {
        const string Is = "OPERATOR(pg_catalog.=)";
        static string Ids(string table, string id, string catalog) =>
            $"ARRAY(SELECT {id} FROM pg_catalog.{catalog} WHERE {table} {Is} k.oid ORDER BY {id})";
        return $"""
            (SELECT pg_catalog.md5(pg_catalog.concat_ws(' ', k.oid, k.relkind, k.relrowsecurity, k.relam, k.reloftype,
                (SELECT pg_catalog.concat_ws(' ', pg_catalog.sum(a.attinhcount), pg_catalog.string_agg(
                        pg_catalog.concat_ws('/', a.atttypid, a.attcollation, a.attgenerated), ','::pg_catalog.text))
                    FROM (SELECT * FROM pg_catalog.pg_attribute WHERE attrelid {Is} k.oid AND attnum OPERATOR(pg_catalog.>) 0
                        ORDER BY attnum) a),
                {Ids("adrelid", "oid", "pg_attrdef")}, {Ids("indrelid", "indexrelid", "pg_index")},
                {Ids("stxrelid", "oid", "pg_statistic_ext")},
                CASE WHEN k.relchecks OPERATOR(pg_catalog.>) 0 THEN {Ids("conrelid", "oid", "pg_constraint")} END,
                CASE WHEN k.relhastriggers THEN {Ids("tgrelid", "oid", "pg_trigger")} END,
                CASE WHEN k.relhasrules THEN {Ids("ev_class", "oid", "pg_rewrite")} END,
                CASE WHEN k.relrowsecurity THEN {Ids("polrelid", "oid", "pg_policy")} END,
                CASE WHEN k.relhassubclass THEN {Ids("inhparent", "inhrelid", "pg_inherits")} END))
            FROM pg_catalog.pg_class k WHERE k.oid {Is} {oid})
            """;
    }

    /// <summary>Those that not every command needs.</summary>
    internal static readonly string[] Optional = ["log", "repeatable"];

    /// <summary>The columns and constraints that a table may have, sorted: of this layout, and of the one before where it was
    /// another.</summary>
    private static IEnumerable<string[]> Shapes(string name)
    {
        var (_, columns, constraints) = Tables.Single(table => table.Name == name);
        string[] items = [.. columns.Concat(constraints).Order(StringComparer.Ordinal)];
        yield return items;
        if (items.Where(item => !Later.Contains($"{name} {item}")).ToArray() is { } earlier && earlier.Length < items.Length)
        {
            yield return earlier;
        }
    }

    private static string ShapeList() => string.Join(", ",
        Names.SelectMany(table => Shapes(table).Select(items => SqlLiteral.Quote($"{table}: {string.Join("; ", items)}"))));

    /// <summary>Says of a table that is not as we make it what is different, from its owner and its shape.</summary>
    private static string Describe(string found)
    {
        var (owner, shape) = (found[..found.IndexOf('\n', StringComparison.Ordinal)],
            found[(found.IndexOf('\n', StringComparison.Ordinal) + 1)..]);
        var name = shape[..shape.IndexOf(':', StringComparison.Ordinal)];
        var items = shape[(name.Length + 2)..].Split("; ", StringSplitOptions.RemoveEmptyEntries);
        var allowed = Shapes(name).First();
        var differences = items.Except(allowed).Concat(Shapes(name).Last().Except(items).Select(item => $"no {item}"));
        return $"{name}, which belongs to {SqlIdentifier.Quote(owner)}: {string.Join("; ", differences)}";
    }

    /// <summary>
    /// Fails where <see cref="SelectFacts"/> has found something strange, so that nothing after it in the same round trip is run; the facts
    /// have come by then.
    /// </summary>
    internal const string Guard =
        $"SELECT CASE pg_catalog.current_setting('{StrangeSetting}') WHEN '0' THEN 0 "
        // Not a constant, which the server would evaluate in any case.
        + $"ELSE pg_catalog.concat('the history is not ours: ', pg_catalog.current_setting('{StrangeSetting}'))::pg_catalog.int4 END";

    /// <summary>What is strange about a table that a subscription writes.</summary>
    internal const string Subscribed = "rows that a subscription writes";

    private const string StrangeSetting = "chatgenius_db.strange";

    /// <summary>What follows FROM: one of our tables, and of it only what was looked at by <see cref="SelectFacts"/> in the same
    /// transaction.</summary>
    /// <remarks>
    /// Who owns the schema may rename it in between and put another under its name. Of a table that is not the one that was looked at no
    /// row passes, so that no cast of its columns runs; and a view is refused (see <see cref="Connections.OthersTables.Restrict"/>).
    /// </remarks>
    internal static string From(string schema, string table) =>
        $"{schema}.{table} WHERE tableoid = (SELECT current_setting('{OidSetting}{table}', true)::oid)";

    /// <summary>Reads the row of <see cref="SelectFacts"/>.</summary>
    internal static (ServerFacts Facts, HistoryPlace Place) ReadFacts(NpgsqlDataReader reader) => (
        new ServerFacts(
            reader.GetInt32(0), reader.GetBoolean(1), reader.GetInt32(2), reader.GetString(3), reader.GetString(4), reader.GetBoolean(5),
                reader.GetBoolean(6)),
        new HistoryPlace(
            reader.GetBoolean(7), reader.GetFieldValue<string[]>(8), reader.GetBoolean(9), reader.GetBoolean(10), reader.GetBoolean(11),
            reader.GetBoolean(12), reader.GetBoolean(13), reader.GetBoolean(14), reader.GetString(15),
            [.. reader.GetFieldValue<string[]>(16).Select(Describe)], reader.GetFieldValue<string[]>(17),
            reader.GetFieldValue<string[]>(19), reader.GetFieldValue<string[]>(20), reader.GetBoolean(21)));

    private static string Literal(string schema, string table) => SqlLiteral.Quote($"{schema}.{table}");
}
