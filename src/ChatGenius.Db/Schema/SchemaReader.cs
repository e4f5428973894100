using System.Collections.Concurrent;
using System.Text;
using System.Text.RegularExpressions;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Schema;

/// <summary>Reads the schema of a database from PostgreSQL's system catalogs (11 and later) in one round trip.</summary>
internal static partial class SchemaReader
{
    private const int Attempts = 5;
    private const string Work = "reading the schema";

    private static readonly (SchemaParts Part, string Query)[] FactQueries =
    [
        (SchemaParts.Relations, "relations"), (SchemaParts.Relations, "sequences"), (SchemaParts.Columns, "columns"),
        (SchemaParts.Constraints, "constraints"), (SchemaParts.Indexes, "indexes"), (SchemaParts.Triggers, "triggers"),
        (SchemaParts.Policies, "policies"), (SchemaParts.Types, "types"), (SchemaParts.Routines, "routines"),
        (SchemaParts.Others, "definitions"), (SchemaParts.Comments, "comments"), (SchemaParts.Privileges, "privileges"),
        (SchemaParts.Owners, "owners"), (SchemaParts.ExtensionVersions, "versions"),
    ];

    /// <summary>Those at the beginning that take about as long as all others together.</summary>
    private static readonly string[] Heavier = ["objects", "relations", "sequences", "columns", "constraints"];

    // What these settings say shows in the text that pg_get_viewdef and its like give; the search_path of every session of ours makes them
    // qualify every name.
    private static readonly (string Name, string Value)[] Settings =
    [
        ("quote_all_identifiers", "off"), ("DateStyle", "ISO, YMD"), ("IntervalStyle", "postgres"), ("TimeZone", "UTC"),
        ("extra_float_digits", "1"), ("bytea_output", "hex"), ("xmlbinary", "base64"), ("standard_conforming_strings", "on"),
    ];

    private static readonly ConcurrentDictionary<(string Name, int Version), string> Texts = new();

    /// <summary>Reads the schema of a database as one consistent moment.</summary>
    /// <returns>The schema, and the server's version, such as 15.</returns>
    /// <inheritdoc cref="ReadAsync(Session, SchemaReadOptions?, CancellationToken)"/>
    public static async Task<(SchemaSnapshot Schema, int ServerVersion)> ReadAsync(
        Database database, SchemaReadOptions? options = null, CancellationToken cancellationToken = default)
    {
        await using var session = await Session.OpenAsync(database, Work, cancellationToken);
        return (await ReadAsync(session, options, cancellationToken), session.ServerVersion / 10000);
    }

    /// <summary>Reads the schema as one consistent moment.</summary>
    /// <param name="session">Where; in an open transaction what it has changed is seen.</param>
    /// <param name="options">What is read; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the reading on the server.</param>
    /// <exception cref="ProblemException">
    /// CG0514, CG0633 to CG0640: the server or the way to it failed; CG1101: a view is locked by another session for longer than the lock
    /// timeout; CG1104: the server is older than PostgreSQL 11.
    /// </exception>
    public static Task<SchemaSnapshot> ReadAsync(
        Session session, SchemaReadOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(session);
        return ReadAsync(session, beside: null, options ?? new SchemaReadOptions(), cancellationToken);
    }

    /// <summary>Reads the schema of a database that nobody changes meanwhile, with two sessions at the same time where there are
    /// two.</summary>
    /// <inheritdoc cref="ReadAsync(Session, SchemaReadOptions?, CancellationToken)"/>
    internal static async Task<SchemaSnapshot> ReadAsync(
        Session session, Session? beside, SchemaReadOptions options, CancellationToken cancellationToken)
    {
        if (session.ServerVersion < 110000)
        {
            throw new ProblemException(
                "CG1104", $"The server is PostgreSQL {session.ServerVersion / 10000}; schemas are read from PostgreSQL 11 and later",
                advice: "Use a newer server.");
        }

        string[] names =
        [
            "objects", .. FactQueries.Where(q => options.Parts.HasFlag(q.Part)).Select(q => q.Query),
            .. options.Parts.HasFlag(SchemaParts.Dependencies) ? (string[])["dependencies"] : [],
        ];
        var cut = beside is null ? names.Length : Math.Max(1, names.Count(name => Heavier.Contains(name)));
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var others = beside is null || cut == names.Length ? null
                    : PartAsync(beside, options, names[cut..], cancellationToken);
                var mine = PartAsync(session, options, names[..cut], cancellationToken);
                await Task.WhenAll(mine, others ?? mine);
                var builder = await mine;
                if (others is not null)
                {
                    builder.Add(await others);
                }

                return builder.Build(SqlIdentifier.Quote(options.HistorySchema));
            }
            catch (ProblemException e) when (e.InnerException is PostgresException error && IsConcurrentChange(error) && attempt < Attempts)
            {
                // The catalogs are read by snapshot, but pg_get_viewdef and its like look at the newest state: an object that
                // was dropped in between is missing there. The next reading sees neither.
            }
            catch (ProblemException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable })
            {
                throw new ProblemException(
                    "CG1101",
                    "The schema can't be read now: another session holds a lock on a view or table for longer than "
                    + $"{options.LockTimeout.TotalSeconds} s",
                    advice: "Try again when its change of the schema has ended.", cause: e);
            }
        }
    }

    /// <summary>XX000 covers "cache lookup failed for …" and "could not open relation with OID …".</summary>
    private static bool IsConcurrentChange(PostgresException e) =>
        e.SqlState is PostgresErrorCodes.InternalError or PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedFunction
            or PostgresErrorCodes.UndefinedObject or PostgresErrorCodes.UndefinedColumn;

    private static Task<SnapshotBuilder> PartAsync(
        Session session, SchemaReadOptions options, string[] names, CancellationToken cancellationToken)
    {
        session.LockTimeout = options.LockTimeout;
        return session.ReadAsync(
            Queries(options, names, session.ServerVersion / 10000),
            async reader =>
            {
                var builder = new SnapshotBuilder();
                for (var i = 0; i < names.Length; i++)
                {
                    _ = i == 0 || await reader.NextResultAsync(cancellationToken);
                    await (names[i] switch
                    {
                        "objects" => builder.ReadObjectsAsync(reader, cancellationToken),
                        "dependencies" => builder.ReadDependenciesAsync(reader, cancellationToken),
                        _ => builder.ReadFactsAsync(reader, cancellationToken),
                    });
                }

                return builder;
            },
            cancellationToken, options.StaysPrepared);
    }

    private static List<SqlQuery> Queries(SchemaReadOptions options, string[] names, int version)
    {
        string[] excluded = [.. options.ExcludedSchemas];
        return
        [
            .. Settings.Select(setting => (SqlQuery)$"SET LOCAL {setting.Name} = '{setting.Value}'"),
            // Otherwise what is prepared is planned again with each value, five times over.
            .. options.StaysPrepared && version >= 12 ? (SqlQuery[])["SET LOCAL plan_cache_mode = force_generic_plan"] : [],
            .. names.Select(name => Query(name, version)).Select(text => text switch
            {
                _ when text.Contains("$2", StringComparison.Ordinal) => new SqlQuery(text, [excluded, options.HistorySchema]),
                _ when text.Contains("$1", StringComparison.Ordinal) => new SqlQuery(text, [excluded]),
                _ => text,
            }),
        ];
    }

    /// <summary>
    /// The query as it fits the server: a line that ends with <c>--@ 14..</c> is for PostgreSQL 14 and later only, one with
    /// <c>--@ ..13</c> for 13 and earlier.
    /// </summary>
    internal static string Query(string name, int version) => Texts.GetOrAdd((name, version), static key =>
    {
        using var stream = typeof(SchemaReader).Assembly.GetManifestResourceStream($"schema/{key.Name}.sql")
            ?? throw new InvalidOperationException($"The query {key.Name} is not embedded.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var query = new StringBuilder();
        while (reader.ReadLine() is { } line)
        {
            var mark = VersionMark().Match(line);
            var fits = (!mark.Groups["from"].Success || int.Parse(mark.Groups["from"].ValueSpan, null) <= key.Version)
                && (!mark.Groups["to"].Success || int.Parse(mark.Groups["to"].ValueSpan, null) >= key.Version);
            if (fits)
            {
                query.Append(mark.Success ? line.AsSpan(0, mark.Index) : line).Append('\n');
            }
        }

        return query.ToString();
    });

    [GeneratedRegex(@"\s*--@ (?<from>\d+)?\.\.(?<to>\d+)?\s*$")]
    private static partial Regex VersionMark();
}
