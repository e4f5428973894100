using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Migrations;

/// <summary>
/// The only code that reads and writes <c>history</c>, <c>journal</c> and <c>log</c>. Readings are transactions in which names are looked
/// for in <c>pg_catalog</c> only. What is written shares a session with a migration, which may have set any <c>search_path</c>: there every
/// name is qualified, functions, operators and casts too.
/// </summary>
/// <param name="schemaName">The schema, not quoted.</param>
internal sealed partial class History(string schemaName)
{
    private readonly string _schema = SqlIdentifier.Quote(schemaName);

    /// <summary>The schema, not quoted.</summary>
    internal string Name => schemaName;

    /// <summary>The schema, quoted.</summary>
    internal string Schema => _schema;

    /// <summary>The table of what was applied, schema-qualified and quoted.</summary>
    internal string TableName => $"{_schema}.history";

    /// <summary>What was found when it was last read; before that, everything that this version makes.</summary>
    internal HistoryPlace Place { get; private set; } = HistoryPlace.Complete;

    /// <summary>The first statement of a migration that isn't known to be done, counted from 0, and whether it was begun.</summary>
    internal async Task<(int Next, bool Begun)> ReadProgressAsync(
        NpgsqlConnection connection, long version, CancellationToken cancellationToken)
    {
        var (_, history) = await ReadAsync(connection, HistoryColumns.Plan, waitForWriters: false, cancellationToken);
        var interruption = history.Interruptions.FirstOrDefault(one => one.Version == version);
        return interruption is null ? (0, false) : (interruption.Statement - 1, interruption.Started);
    }

    /// <summary>Reads the server's facts, the history and the interruptions in one round trip.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="columns">How much of each row.</param>
    /// <param name="waitForWriters">
    /// Waits for up to twenty seconds for somebody who is writing the history. A run that lost its lock may have passed the fence and still
    /// be committing: what it commits has to be seen.
    /// </param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <param name="quick">Whether nothing will be written by what is seen; see <see cref="HistoryTables.SelectQuick"/>.</param>
    /// <exception cref="ProblemException">
    /// CG0409: the tables have a later format than this version knows; CG0513: they can't be read; CG0514: the connection was lost. That
    /// there are no tables yet is not a problem.
    /// </exception>
    internal async Task<(ServerFacts Facts, HistorySnapshot History)> ReadAsync(
        NpgsqlConnection connection, HistoryColumns columns, bool waitForWriters, CancellationToken cancellationToken, bool quick = false)
    {
        var session = Session.Over(connection, "reading the history");
        session.LockTimeout = TimeSpan.FromSeconds(20);
        ProblemException? missing = null;
        try
        {
            // Asking first whether there are any tables would cost a round trip; where there were none a moment ago, so does not asking.
            if (Place.Tables.Length > 0)
            {
                var (facts, history) = await ReadAllAsync(session, columns, waitForWriters, hasFormat: true, cancellationToken, quick);
                return (facts, columns == HistoryColumns.Redo && Place.MayReadLog
                    ? history with { Undone = await ReadUndoneAsync(session, history, cancellationToken) } : history);
            }
        }
        catch (ProblemException e) when (e.InnerException is PostgresException
        {
            SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.WrongObjectType,
        })
        {
            missing = e;
        }
        catch (ProblemException e) when (quick && e.InnerException is PostgresException
        {
            SqlState: PostgresErrorCodes.InvalidTextRepresentation,
        })
        {
            return await ReadAsync(connection, columns, waitForWriters, cancellationToken);
        }
        catch (ProblemException e)
        {
            throw Unreadable(e);
        }

        var found = await ReadMissingAsync(session, cancellationToken);
        if (!Place.Exists)
        {
            return (found, HistorySnapshot.Empty);
        }

        // Another run may have made them just now; and a history without its format gets it back with the next run.
        return missing is null ? await ReadAsync(connection, columns, waitForWriters, cancellationToken)
            : Place.Has("history") && Place.Has("journal")
            ? await ReadAllAsync(session, columns, waitForWriters, Place.Has("format"), cancellationToken)
            : throw Unreadable(missing);
    }

    /// <summary>Looks what there is where not all of it is.</summary>
    private async Task<ServerFacts> ReadMissingAsync(Session session, CancellationToken cancellationToken)
    {
        Task<ServerFacts> Read(string query) =>
            session.ReadAsync([query], reader => ReadFactsAsync(reader, cancellationToken), cancellationToken);
        var facts = await Read(HistoryTables.SelectQuick(schemaName));
        return Place.Tables.Length == 0 ? facts : await Read(HistoryTables.SelectFacts(schemaName));
    }

    /// <summary>The tables were made by now, as this version makes them.</summary>
    internal void ExpectTables() => Place = HistoryPlace.Complete;

    private async Task<(ServerFacts Facts, HistorySnapshot History)> ReadAllAsync(
        Session session, HistoryColumns columns, bool waitForWriters, bool hasFormat, CancellationToken cancellationToken,
        bool quick = false)
    {
        var more = columns switch
        {
            HistoryColumns.Down or HistoryColumns.Redo => ", down_sql",
            HistoryColumns.Details => ", duration_ms, applied_by, tool_version, origin, retries, backup",
            _ => "",
        };
        return await ReadOursAsync(
            session,
            [
                $"LOCK TABLE {(hasFormat ? $"{_schema}.format, " : "")}{_schema}.history, {_schema}.journal IN ACCESS SHARE MODE",
                .. waitForWriters ? [$"LOCK TABLE {_schema}.history, {_schema}.journal IN SHARE MODE"] : Array.Empty<SqlQuery>(),
            ],
            needs: null,
            [
                .. hasFormat ? [$"SELECT version FROM {From("format")}"] : Array.Empty<SqlQuery>(),
                $"SELECT version, name, checksum, applied_at, origin = 'baseline'{more} FROM {From("history")} ORDER BY version",
                // The newest row of each section that was begun and not finished.
                $"""
                SELECT DISTINCT ON (version) version, name, direction, statement, count, finished_at IS NULL, checksum, pid, backend_start,
                    started_at,
                    coalesce(lag(statement) OVER marks, 0), coalesce(lag(checksum) OVER marks, '')
                FROM {From("journal")} WINDOW marks AS (PARTITION BY version ORDER BY statement) ORDER BY version, statement DESC
                """,
            ],
            async (reader, facts) =>
            {
                if (hasFormat)
                {
                    RequireKnownFormat(await Session.ResultAsync(reader, row => row.GetInt32(0), cancellationToken));
                }

                var rows = await Session.ResultAsync(reader, row => ReadRow(row, columns), cancellationToken);
                var interruptions = await Session.ResultAsync(reader, ReadInterruption, cancellationToken);
                return (facts, new HistorySnapshot(true, rows, interruptions) { LesserWriters = Place.LesserWriters });
            },
            cancellationToken,
            quick);
    }

    private string From(string table) => HistoryTables.From(_schema, table);

    /// <summary>Reads tables of ours: under a lock, and only after a look at what they are.</summary>
    private Task<T> ReadOursAsync<T>(
        Session session, SqlQuery[] locks, string? needs, IReadOnlyList<SqlQuery> queries,
        Func<NpgsqlDataReader, ServerFacts, Task<T>> read, CancellationToken cancellationToken, bool quick = false) =>
        session.ReadAsync(
            [
                .. OthersTables.Restrict(session.ServerVersion),
                // What is looked at stays as it is until it was read.
                .. locks,
                quick ? HistoryTables.SelectQuick(schemaName) : HistoryTables.SelectFacts(schemaName, needs),
                HistoryTables.Guard,
                .. queries,
            ],
            async reader =>
            {
                var facts = await ReadFactsAsync(reader, cancellationToken);
                // The guard has passed.
                await reader.NextResultAsync(cancellationToken);
                return await read(reader, facts);
            },
            cancellationToken);

    private async Task<ServerFacts> ReadFactsAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        await reader.ReadAsync(cancellationToken);
        (var facts, Place) = HistoryTables.ReadFacts(reader);
        RequireOurs();
        await reader.NextResultAsync(cancellationToken);
        return facts;
    }

    /// <summary>Nothing is believed, and nothing is run, of what somebody else has put under the history's name.</summary>
    private void RequireOurs()
    {
        if (NotOurs(withOptional: false) is { } e)
        {
            throw e;
        }
    }

    private ProblemException? NotOurs(bool withOptional)
    {
        var strange = Place.Strange.Where(line => withOptional
            || !HistoryTables.Optional.Any(name => line.StartsWith(name + ",", StringComparison.Ordinal))).ToList();
        return strange.Count == 0 ? null
            : strange.TrueForAll(line => line.EndsWith(": " + HistoryTables.Subscribed, StringComparison.Ordinal))
            ? new ProblemException(
                "CG0518",
                    $"The history in schema {_schema} comes from another database, through a subscription\n{string.Join('\n', strange)}",
                advice: "It says what was applied there, not here. Leave these tables out of the publication (FOR ALL TABLES has "
                    + "them too), or give this database a history of its own with --history-schema.")
            : new ProblemException(
                "CG0517",
                    $"What is in schema {_schema} is not as this tool makes it, so nothing of it was read\n{string.Join('\n', strange)}",
                advice: "Somebody has changed it, or made it in advance. Take back what was added; if nothing of it is this tool's, "
                    + "drop it, or name another schema with --history-schema.");
    }

    private void RequireKnownFormat(List<int> found)
    {
        if (found.FirstOrDefault() is > HistoryTables.Format and var format)
        {
            throw new ProblemException(
                "CG0409",
                    $"The history in schema {_schema} has format {format}; this version of the tool knows up to {HistoryTables.Format}",
                advice: "Update the tool: dotnet tool update -g ChatGenius.Tool");
        }
    }

    private ProblemException Unreadable(ProblemException e) =>
        e.InnerException is PostgresException { SqlState: PostgresErrorCodes.InvalidTextRepresentation }
            && NotOurs(withOptional: true) is { } ours
            ? ours
        : e.InnerException is not PostgresException refused
        || SessionProblem.EndsSession(refused) ? e : new(
        "CG0513", $"The history in schema {_schema} can't be read: {refused.MessageText} (SQLSTATE {refused.SqlState})",
        advice: DiskFull.Is(refused) ? DiskFull.Advice
            : refused.SqlState == PostgresErrorCodes.UndefinedTable
                ? "A part of it is gone. Bring it back from a backup: without it nobody knows what was applied."
            : "Connect as a role that may read it; --history-schema says where it is.",
        cause: refused);

    /// <summary>Reads the log, oldest first.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <exception cref="ProblemException">CG0519: our role may not read it; CG0513, CG0517: as <see cref="ReadAsync"/>.</exception>
    internal async Task<IReadOnlyList<LogEntry>> ReadLogAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var (facts, _) = await ReadAsync(connection, HistoryColumns.Plan, waitForWriters: false, cancellationToken);
        if (!Place.Has("log"))
        {
            return [];
        }

        if (!Place.MayReadLog)
        {
            throw new ProblemException(
                "CG0519", $"The log in schema {_schema} may be read by its owner only: statements and errors in it can hold secrets",
                advice: $"Connect as {SqlIdentifier.Quote(Place.Owner)}, or let them run: GRANT SELECT ON {_schema}.log TO "
                    + SqlIdentifier.Quote(facts.RoleName));
        }

        return await ReadLogAsync(
            Session.Over(connection, "reading the log"),
            "SELECT action, command, version, name, duration_ms, tool_version, error, statement, detail, at, done_by FROM "
                + $"{From("log")} ORDER BY id",
            row => new LogEntry(
                row.GetString(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetInt64(2), Text(row, 3),
                row.IsDBNull(4) ? null : TimeSpan.FromMilliseconds(row.GetDouble(4)), row.GetString(5), Text(row, 6), Text(row, 7),
                    Text(row, 8))
            {
                At = row.GetDateTime(9),
                DoneBy = row.GetString(10),
            },
            cancellationToken);

        static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
    }

    /// <summary>What the last <c>redo</c> has undone, where nothing else was done since and it was not applied again.</summary>
    private async Task<IReadOnlyList<long>> ReadUndoneAsync(Session session, HistorySnapshot history, CancellationToken cancellationToken)
    {
        var applied = history.Rows.Select(row => row.Version).ToHashSet();
        var undone = await ReadLogAsync(
            session,
            $"""
            SELECT version FROM {From("log")} AND action = 'rolled_back' AND command = 'redo' AND id > coalesce(
                (SELECT max(id) FROM {From("log")} AND action <> 'failed'
                    AND NOT (action IN ('rolled_back', 'redone') AND command = 'redo')), 0)
            ORDER BY version
            """,
            row => row.GetInt64(0),
            cancellationToken);
        return [.. undone.Distinct().Where(version => !applied.Contains(version))];
    }

    /// <summary>What else is in the database; <c>null</c> where something was applied once, as far as we may know it.</summary>
    internal async Task<FoundDatabase?> LookAsync(
        NpgsqlConnection connection, IReadOnlyList<Migration> migrations, CancellationToken cancellationToken)
    {
        var session = Session.Over(connection, "looking what is in the database");
        var applied = false;
        var (schema, tables, tools) = await FoundDatabase.ReadAsync(
            (queries, read) => !Place.Has("log") || !Place.MayReadLog || Place.IsEmpty("log")
                ? session.ReadAsync(queries, read, cancellationToken)
                : ReadTableAsync(
                    "log",
                    session,
                    // To mark migrations as applied, and to take that back, is no sign that one was ever run; and what was marked is still
                    // there when the marks are gone, whatever ran on top of it meanwhile.
                    [
                        $"""
                        SELECT EXISTS (SELECT FROM {From("log")} AND action NOT IN ('baselined', 'unmarked')
                            AND id > coalesce((SELECT max(id) FROM {From("log")} AND action = 'unmarked'), 0))
                        """,
                        .. queries,
                    ],
                    async reader =>
                    {
                        applied = (await Session.ResultAsync(reader, row => row.GetBoolean(0), cancellationToken))[0];
                        return await read(reader);
                    },
                    cancellationToken),
            schemaName,
            cancellationToken);
        var histories = new List<ToolHistory>();
        foreach (var table in applied ? [] : tools.OfType<ToolTable>())
        {
            histories.Add(await ToolHistory.ReadAsync(session, table, migrations, cancellationToken));
        }

        return applied ? null : new FoundDatabase(schema, tables, histories);
    }

    private Task<List<T>> ReadLogAsync<T>(Session session, string query, Func<NpgsqlDataReader, T> row,
        CancellationToken cancellationToken) =>
        ReadTableAsync("log", session, [query], reader => Session.ResultAsync(reader, row, cancellationToken), cancellationToken);

    /// <summary>As with the history: under a lock, and only after a look at what the table is.</summary>
    internal async Task<T> ReadTableAsync<T>(
        string table, Session session, IReadOnlyList<SqlQuery> queries, Func<NpgsqlDataReader, Task<T>> read,
        CancellationToken cancellationToken)
    {
        try
        {
            return await ReadOursAsync(
                session, [$"LOCK TABLE {_schema}.{table} IN ACCESS SHARE MODE"], table, queries, (reader, _) => read(reader),
                cancellationToken);
        }
        catch (ProblemException e)
        {
            throw Unreadable(e);
        }
    }

    /// <summary>Reads the up section of a migration as it was applied; <c>null</c> where the history has not kept it.</summary>
    internal async Task<string?> ReadUpAsync(NpgsqlConnection connection, long version, CancellationToken cancellationToken) =>
        !Place.KeepsUp ? null
        : await ReadTableAsync(
            "history",
            Session.Over(connection, "reading the history"),
            [new SqlQuery($"SELECT up_sql FROM {From("history")} AND version = $1", version)],
            async reader => (await Session.ResultAsync(reader, row => row.IsDBNull(0) ? null : row.GetString(0),
                cancellationToken)).FirstOrDefault(),
            cancellationToken);

    private static HistoryRow ReadRow(NpgsqlDataReader reader, HistoryColumns columns) =>
        new(reader.GetInt64(0), reader.GetString(1), reader.GetString(2), reader.GetDateTime(3))
        {
            IsBaseline = reader.GetBoolean(4),
            DownSql = columns is HistoryColumns.Down or HistoryColumns.Redo ? reader.GetString(5) : null,
            Details = columns == HistoryColumns.Details
                ? new HistoryDetails(
                    TimeSpan.FromMilliseconds(reader.GetDouble(5)),
                    reader.GetString(6),
                    reader.GetString(7),
                    reader.GetString(8),
                    reader.GetInt32(9),
                    reader.IsDBNull(10) ? null : reader.GetString(10))
                : null,
        };

    private static Interruption ReadInterruption(NpgsqlDataReader reader)
    {
        var started = reader.GetBoolean(5);
        return new Interruption(
            reader.GetInt64(0),
            reader.GetString(1),
            reader.GetString(2) == "up" ? MigrationDirection.Up : MigrationDirection.Down,
            reader.GetInt32(3) + (started ? 0 : 1),
            reader.GetInt32(4),
            started,
            reader.GetString(6),
            reader.GetInt32(7),
            reader.GetDateTime(8),
            reader.GetDateTime(9))
        {
            Marked = reader.GetInt32(10),
            MarkedChecksum = reader.GetString(11),
        };
    }
}
