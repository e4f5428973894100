using System.Globalization;
using System.Text.RegularExpressions;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Imports;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Migrations;

/// <summary>A table in which another tool keeps what it has applied.</summary>
/// <param name="Tool">What the tool is called.</param>
/// <param name="Schema">The table's schema, not quoted.</param>
/// <param name="Table">Its name, not quoted.</param>
internal sealed record ToolTable(string Tool, string Schema, string Table)
{
    /// <summary>How it is read; <c>null</c> where the tool is only recognised.</summary>
    internal KnownTool? Known { get; init; }

    /// <summary>Schema and name, quoted where needed.</summary>
    public string Display => SqlIdentifier.Quote(Schema, Table);

    /// <summary>The name as <c>baseline --from</c> takes it; <c>null</c> where it can't be taken over.</summary>
    public string? Key => Known?.Key;

    /// <summary>What of a schema's objects is the tool's own, as patterns; nothing where it may be the application's.</summary>
    public IEnumerable<string> Patterns => Tool.Contains(" or ", StringComparison.Ordinal) ? []
        : [
            .. Known?.OwnSchema == Schema ? [$"schema {SqlIdentifier.Quote(Schema)}"] : Array.Empty<string>(),
            .. (Known?.Companions ?? []).Append(Table).SelectMany(name => (string[])
                [SqlIdentifier.Quote(Schema, name), $"sequence {SqlIdentifier.Quote(Schema)}.{name}_*seq"]),
        ];
}

/// <summary>A migration as another tool's table names it.</summary>
/// <param name="Id">Number, name, or both.</param>
/// <param name="Name">Its name where the table has it apart.</param>
/// <param name="At">When it was applied; <c>null</c> where the tool doesn't keep that.</param>
/// <param name="By">Who did it; <c>null</c> where the tool doesn't keep that.</param>
/// <param name="Failed">Whether it was begun and not finished.</param>
/// <param name="WithAllBefore">Whether all that come before it are applied too.</param>
internal sealed record ToolRow(string Id, string? Name, DateTime? At, string? By, bool Failed, bool WithAllBefore);

/// <summary>What another tool has applied, beside the files that are here. Pure but for the reading.</summary>
/// <param name="Table">Where it was read.</param>
/// <param name="Rows">What it has; <c>null</c> where our role may not read it.</param>
/// <param name="Matches">The files that it has applied, by number, each with its row.</param>
internal sealed partial record ToolHistory(
    ToolTable Table, IReadOnlyList<ToolRow>? Rows, IReadOnlyList<(Migration File, ToolRow Row)> Matches)
{
    /// <summary>What the tool's own mark says of a run that has not ended; null where there is no such run.</summary>
    public string? RunMark { get; init; }

    /// <summary>What was begun and not finished.</summary>
    public IEnumerable<ToolRow> Failed => (Rows ?? []).Where(row => row.Failed);

    /// <summary>What has no file here.</summary>
    public IEnumerable<ToolRow> WithoutFile => (Rows ?? []).Where(row => !Matches.Any(match => match.Row == row));

    /// <summary>One line: the table, how many versions it has, and how many of them have a file here.</summary>
    public override string ToString() => Rows is null ? $"{Table.Display} of {Table.Tool}, which can't be read"
        : $"{Table.Display} of {Table.Tool}: {Rows.Count} {(Rows.Count == 1 ? "version" : "versions")}, "
            + $"{Rows.Count - WithoutFile.Count()} {(Rows.Count - WithoutFile.Count() == 1 ? "matches a file" : "match files")} here"
            + (RunMark is null ? "" : $"; {RunMark}");

    /// <summary>The query that finds such tables, with a search_path of pg_catalog only.</summary>
    internal static SqlQuery Find { get; } = new(
        """
        SELECT n.nspname::text, c.relname::text,
            ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND t.typnamespace = 'pg_catalog'::regnamespace),
            (SELECT count(*) FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)::int4,
            EXISTS (SELECT FROM pg_catalog.pg_class r WHERE r.relnamespace = c.relnamespace AND r.relname = 'ar_internal_metadata')
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND c.relname = ANY ($1::text[]) ORDER BY 1, 2
        """,
        [.. new[] { KnownTool.All.Select(tool => tool.Table).Concat(KnownTool.Others.Select(tool => tool.Table)).Distinct().ToArray() }]);

    /// <summary>Reads a row of <see cref="Find"/>; <c>null</c> for a table that only has such a name.</summary>
    internal static ToolTable? ReadTable(NpgsqlDataReader reader)
    {
        var (schema, table) = (reader.GetString(0), reader.GetString(1));
        var (name, known) = KnownTool.Of(
            schema, table, reader.GetFieldValue<string[]>(2), reader.GetInt32(3), besideRails: reader.GetBoolean(4));
        return name is null ? null : new ToolTable(name, schema, table) { Known = known };
    }

    /// <summary>Finds the tables of other tools.</summary>
    internal static async Task<IReadOnlyList<ToolTable>> FindAsync(Session session, CancellationToken cancellationToken) =>
        [.. (await session.RowsAsync(Find, ReadTable, cancellationToken)).OfType<ToolTable>()];

    /// <summary>Reads one.</summary>
    internal static async Task<ToolHistory> ReadAsync(
        Session session, ToolTable table, IReadOnlyList<Migration> migrations, CancellationToken cancellationToken)
    {
        if (table.Known is not { } known)
        {
            return new ToolHistory(table, [], []);
        }

        try
        {
            var rows = await RowsAsync(
                session, table.Display, known.Columns, known.Query,
                row => row.GetString(4) == "gone" ? null : new ToolRow(
                    row.GetString(0), row.IsDBNull(1) ? null : row.GetString(1), row.IsDBNull(2) ? null : row.GetDateTime(2),
                    row.IsDBNull(3) ? null : row.GetString(3), row.GetString(4) == "failed", row.GetBoolean(5)),
                cancellationToken);
            return Of(table, [.. rows.OfType<ToolRow>()], migrations, ImportedNumbers.Beside(migrations)) with
            {
                RunMark = known.RunMark is { } mark ? await RunMarkAsync(session, table, mark, cancellationToken) : null,
            };
        }
        catch (ProblemException e) when (e.InnerException is PostgresException
        {
            SqlState: PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.InvalidTextRepresentation
                or PostgresErrorCodes.UndefinedTable,
        })
        {
            return new ToolHistory(table, null, []);
        }
    }

    /// <summary>What the tool's mark of a run says; older versions of a tool have no table for it, or another one.</summary>
    private static async Task<string?> RunMarkAsync(
        Session session, ToolTable table, (string Table, string[] Columns, string Query) mark, CancellationToken cancellationToken)
    {
        try
        {
            return (await RowsAsync(session, SqlIdentifier.Quote(table.Schema, mark.Table), mark.Columns, mark.Query,
                row => row.GetString(0), cancellationToken)).FirstOrDefault();
        }
        catch (ProblemException e) when (e.InnerException is PostgresException
        {
            SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidTextRepresentation,
        })
        {
            return null;
        }
    }

    /// <summary>The rows of a query. The table is somebody else's: it is locked and looked at before anything of it is read.</summary>
    private static Task<List<T>> RowsAsync<T>(
        Session session, string table, string[] columns, string query, Func<NpgsqlDataReader, T> row,
        CancellationToken cancellationToken) =>
        session.ReadAsync(
            [
                .. OthersTables.Lock(session.ServerVersion, [$"ONLY {table}"]),
                // Only an ordinary table with PostgreSQL's own types runs nothing of its owner's when it is read.
                new SqlQuery(
                    """
                    SELECT CASE WHEN c.relkind = 'r' AND (SELECT count(*) FROM pg_catalog.pg_attribute a
                        JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
                            WHERE a.attrelid = c.oid AND a.attname = ANY ($2::text[]) AND NOT a.attisdropped
                                AND t.typnamespace = 'pg_catalog'::regnamespace) = cardinality($2::text[])
                        THEN 0 ELSE concat('not a table of that tool: ', c.relname)::int4 END
                    FROM pg_catalog.pg_class c WHERE c.oid = $1::regclass
                    """,
                    table, columns),
                string.Format(CultureInfo.InvariantCulture, query, table),
            ],
            async reader =>
            {
                await reader.NextResultAsync(cancellationToken);
                return await Session.ResultAsync(reader, row, cancellationToken);
            },
            cancellationToken);

    /// <summary>
    /// Sets rows against the project's files: by what an import has noted, else by number, and what has none by name. The bundle is no
    /// other
    /// tool's.
    /// </summary>
    internal static ToolHistory Of(
        ToolTable table, IReadOnlyList<ToolRow> rows, IReadOnlyList<Migration> migrations, IReadOnlyList<ImportedNumber>? imported = null)
    {
        var files = migrations.Where(migration => migration.Origin == MigrationOrigin.Folder).OrderBy(file => file.Version).ToList();
        var noted = (imported ?? []).Where(one => one.Tool == table.Key)
            .Select(one => (one.Key, File: files.Find(file => Path.GetFileName(file.Source.Path) == one.File)!))
            .Where(one => one.File is not null).ToList();

        // What an import has noted has the number that it got here, which may be that of another one there.
        var others = files.Except(noted.Select(one => one.File)).ToList();
        var matches = new SortedDictionary<long, (Migration File, ToolRow Row)>();
        for (var i = 0; i < rows.Count; i++)
        {
            if (rows[i].Failed)
            {
                continue;
            }

            var parts = Id().Match(rows[i].Id);
            var number = parts.Groups["number"] is { Success: true } digits
                && long.TryParse(digits.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed : (long?)null;
            var name = Letters(rows[i].Name ?? parts.Groups["name"].Value);
            var sameId = rows.Take(i).Count(row => row.Id == rows[i].Id);
            var file = noted.Where(one => IsSame(one.Key, rows[i].Id)).ElementAtOrDefault(sameId).File
                ?? (table.Known!.ByPosition ? (noted.Count > 0 ? noted.ElementAtOrDefault(i).File : files.ElementAtOrDefault(i))
                : others.Find(one => one.Version == number && (name.Length == 0 || Letters(one.Name) == name))
                    ?? (others.FindAll(one => name.Length > 0 && Letters(one.Name) == name) is [var only] ? only : null));
            var before = !rows[i].WithAllBefore ? []
                : file is not null || noted.Count == 0 ? files.Where(one => one.Version < (file?.Version ?? number ?? 0))
                : noted.Where(one => ImportOrder.Compare(one.Key, rows[i].Id) < 0).Select(one => one.File);
            foreach (var one in file is null ? before : before.Append(file))
            {
                matches.TryAdd(one.Version, (one, rows[i]));
            }
        }

        return new ToolHistory(table, rows, [.. matches.Values]);
    }

    /// <summary>A tool that keeps numbers has none of the zeros that its files begin with.</summary>
    private static bool IsSame(string key, string id) => key == id
        || (Version().IsMatch(key) && Version().IsMatch(id) && ImportOrder.Compare(key, id) == 0);

    /// <summary>Names differ from tool to tool in their capitals and in what is between their words.</summary>
    private static string Letters(string name) =>
        string.Concat(name.Where(char.IsLetterOrDigit)).ToLowerInvariant();

    [GeneratedRegex(@"^\d+(\.\d+)*$")]
    private static partial Regex Version();

    [GeneratedRegex(@"^(?:(?<number>\d+)(?:[_.-]|$))?(?<name>.*?)(?:\.(?:sql|js|ts|cjs|mjs|cts|mts))?$", RegexOptions.Singleline)]
    private static partial Regex Id();
}
