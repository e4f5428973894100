using System.Collections.Concurrent;
using System.Text;
using System.Text.RegularExpressions;
using Npgsql;
using NpgsqlTypes;

namespace ChatGenius.Db.Schema;

/// <summary>Reads the schema of a database from PostgreSQL's system catalogs (11 and later) in one round trip.</summary>
public static partial class SchemaReader
{
    private const int Attempts = 5;

    private static readonly (SchemaParts Part, string Query)[] FactQueries =
    [
        (SchemaParts.Relations, "relations"), (SchemaParts.Relations, "sequences"), (SchemaParts.Columns, "columns"),
        (SchemaParts.Constraints, "constraints"), (SchemaParts.Indexes, "indexes"), (SchemaParts.Triggers, "triggers"),
        (SchemaParts.Policies, "policies"), (SchemaParts.Types, "types"), (SchemaParts.Routines, "routines"),
        (SchemaParts.Others, "definitions"), (SchemaParts.Comments, "comments"), (SchemaParts.Privileges, "privileges"),
        (SchemaParts.Owners, "owners"), (SchemaParts.ExtensionVersions, "versions"),
    ];

    // What these settings say shows in the text that pg_get_viewdef and its like give. An empty search_path makes them
    // qualify every name. Compiling such queries costs more than running them.
    private static readonly (string Name, string Value)[] Settings =
    [
        ("search_path", ""), ("quote_all_identifiers", "off"), ("DateStyle", "ISO, YMD"), ("IntervalStyle", "postgres"), ("TimeZone", "UTC"),
        ("extra_float_digits", "1"), ("bytea_output", "hex"), ("xmlbinary", "base64"), ("standard_conforming_strings", "on"), ("jit", "off"),
    ];

    private static readonly ConcurrentDictionary<(string Name, int Version), string> Queries = new();

    /// <summary>Reads the schema as one consistent moment; the session is left as it was.</summary>
    /// <param name="connection">An open connection; its search_path and other settings do not matter.</param>
    /// <param name="options">What is read; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the reading on the server.</param>
    /// <exception cref="ProblemException">
    /// CG1101: a view is locked by another session for longer than the lock timeout; CG1104: the server is older than PostgreSQL 11.
    /// </exception>
    public static async Task<SchemaSnapshot> ReadAsync(
        NpgsqlConnection connection, SchemaReadOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new SchemaReadOptions();
        if (connection.PostgreSqlVersion.Major < 11)
        {
            throw new ProblemException(
                "CG1104", $"The server is PostgreSQL {connection.ServerVersion}; schemas are read from PostgreSQL 11 and later",
                advice: "Use a newer server.");
        }

        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await ReadOnceAsync(connection, options, cancellationToken);
            }
            catch (PostgresException e) when (IsConcurrentChange(e) && !options.InTransaction && attempt < Attempts)
            {
                // The catalogs are read by snapshot, but pg_get_viewdef and its like look at the newest state: an object that
                // was dropped in between is missing there. The next reading sees neither.
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
            {
                throw new ProblemException(
                    "CG1101",
                    $"The schema can't be read now: another session holds a lock on a view or table for longer than {options.LockTimeout.TotalSeconds} s",
                    advice: "Try again when its change of the schema has ended.", cause: e);
            }
        }
    }

    /// <summary>XX000 covers "cache lookup failed for …" and "could not open relation with OID …".</summary>
    private static bool IsConcurrentChange(PostgresException e) =>
        e.SqlState is PostgresErrorCodes.InternalError or PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedFunction
            or PostgresErrorCodes.UndefinedObject or PostgresErrorCodes.UndefinedColumn;

    private static async Task<SchemaSnapshot> ReadOnceAsync(NpgsqlConnection connection, SchemaReadOptions options, CancellationToken cancellationToken)
    {
        await using var batch = Batch(connection, options);
        try
        {
            if (options.StaysPrepared)
            {
                await batch.PrepareAsync(cancellationToken);
            }

            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            await reader.NextResultAsync(cancellationToken);
            var builder = new SnapshotBuilder();
            await builder.ReadObjectsAsync(reader, cancellationToken);
            foreach (var _ in FactQueries.Where(q => options.Parts.HasFlag(q.Part)))
            {
                await reader.NextResultAsync(cancellationToken);
                await builder.ReadFactsAsync(reader, cancellationToken);
            }

            if (options.Parts.HasFlag(SchemaParts.Dependencies))
            {
                await reader.NextResultAsync(cancellationToken);
                await builder.ReadDependenciesAsync(reader, cancellationToken);
            }

            // COMMIT has no rows; reading on to the end reports an error that came after the last result.
            while (await reader.NextResultAsync(cancellationToken))
            {
            }

            return builder.Build();
        }
        catch when (!options.InTransaction && connection.FullState.HasFlag(System.Data.ConnectionState.Open))
        {
            await using var rollback = new NpgsqlBatch(connection) { BatchCommands = { new NpgsqlBatchCommand("ROLLBACK") } };
            await rollback.ExecuteNonQueryAsync(CancellationToken.None);
            throw;
        }
    }

    private static NpgsqlBatch Batch(NpgsqlConnection connection, SchemaReadOptions options)
    {
        var batch = new NpgsqlBatch(connection) { Timeout = 0 };
        void Add(string sql)
        {
            var command = new NpgsqlBatchCommand(sql);
            if (sql.Contains("$1", StringComparison.Ordinal))
            {
                command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. options.ExcludedSchemas], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
            }

            batch.BatchCommands.Add(command);
        }

        var version = connection.PostgreSqlVersion.Major;
        if (!options.InTransaction)
        {
            Add("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        }

        Add(SetSettings(options));
        Add(Query("objects", version));
        foreach (var (_, query) in FactQueries.Where(q => options.Parts.HasFlag(q.Part)))
        {
            Add(Query(query, version));
        }

        if (options.Parts.HasFlag(SchemaParts.Dependencies))
        {
            Add(Query("dependencies", version));
        }

        Add(options.InTransaction ? RestoreSettings() : "COMMIT");
        return batch;
    }

    /// <summary>
    /// Settings for this transaction only. Inside the caller's transaction their old values are kept in settings of our own, so
    /// that no round trip is needed to put them back.
    /// </summary>
    private static string SetSettings(SchemaReadOptions options)
    {
        var calls = new List<string>();
        if (options.InTransaction)
        {
            calls.AddRange(Settings.Select(s => $"set_config('chatgenius_db.{s.Name}', current_setting('{s.Name}'), true)"));
        }
        else
        {
            calls.Add($"set_config('lock_timeout', '{(long)options.LockTimeout.TotalMilliseconds}', true)");
        }

        calls.AddRange(Settings.Select(s => $"set_config('{s.Name}', '{s.Value}', true)"));
        return "SELECT " + string.Join(", ", calls.Select(c => "pg_catalog." + c.Replace(", current_setting", ", pg_catalog.current_setting", StringComparison.Ordinal)));
    }

    private static string RestoreSettings() =>
        "SELECT " + string.Join(", ", Settings.Select(s => $"set_config('{s.Name}', current_setting('chatgenius_db.{s.Name}'), true)"));

    /// <summary>
    /// The query as it fits the server: a line that ends with <c>--@ 14..</c> is for PostgreSQL 14 and later only, one with
    /// <c>--@ ..13</c> for 13 and earlier.
    /// </summary>
    internal static string Query(string name, int version) => Queries.GetOrAdd((name, version), static key =>
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
