using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Connections;

/// <summary>A command of a pipeline that the server refused.</summary>
/// <typeparam name="TOwner">Whom the command belongs to.</typeparam>
internal sealed class SqlPipelineException<TOwner>(PostgresException error, TOwner owner, SqlStatement? statement, string command)
    : Exception(error.MessageText, error)
{
    internal PostgresException Error => error;

    /// <summary>What was sent.</summary>
    internal string Command => command;

    internal TOwner Owner => owner;

    /// <summary>The statement of a file that failed; <c>null</c> for a command of our own.</summary>
    internal SqlStatement? Statement => statement;
}

/// <summary>
/// Commands that go to the server together and in order, in as few round trips as there are: one, and one more for each
/// <c>COPY … FROM stdin</c>. After an error the server skips what is left, so nothing behind a failed command runs.
/// </summary>
/// <remarks>
/// Statements of files are sent as batch commands without parameters, which Npgsql passes on as they are: an ordinary command would
/// be parsed, split at semicolons (inside <c>BEGIN ATOMIC</c> too) and its error positions moved.
/// </remarks>
/// <typeparam name="TOwner">Whom a command belongs to; comes back with an error.</typeparam>
internal sealed class SqlPipeline<TOwner>(NpgsqlConnection connection)
{
    private const int CopyMessageBytes = 256 * 1024;

    private readonly List<Entry> _entries = [];
    private NpgsqlBatch? _batch;
    private int _at;

    private readonly record struct Entry(Func<NpgsqlBatchCommand>? Command, SqlStatement? Statement, TOwner Owner, bool AsText = false);

    /// <summary>How many rows the statements of files have written.</summary>
    internal long Rows { get; private set; }

    /// <summary>Told how many rows each statement of a file has written.</summary>
    internal Action<TOwner, long>? Wrote { get; init; }

    /// <summary>Whom the command belongs to that the server is at, by the answers so far, and its statement.</summary>
    internal (TOwner Owner, SqlStatement? Statement)? Current
    {
        get
        {
            IEnumerable<NpgsqlBatchCommand> sent = _batch?.BatchCommands is { } commands ? commands : [];
            // Its type is known from the server's answer.
            var done = sent.TakeWhile(command => command.StatementType != StatementType.Unknown).Count();
            return _at + done < _entries.Count && _entries[_at + done] is var entry ? (entry.Owner, entry.Statement) : null;
        }
    }

    /// <summary>Adds a command of our own.</summary>
    internal void Add(TOwner owner, NpgsqlBatchCommand command) => Add(owner, () => command);

    /// <summary>Adds a command of our own that is made when its turn comes.</summary>
    internal void Add(TOwner owner, Func<NpgsqlBatchCommand> command) => _entries.Add(new Entry(command, null, owner));

    /// <summary>Adds a command of our own that has no parameters.</summary>
    internal void Add(TOwner owner, string command) => Add(owner, () => new NpgsqlBatchCommand(command));

    /// <summary>Adds a statement of a file.</summary>
    /// <param name="owner">Whom it belongs to.</param>
    /// <param name="statement">The statement.</param>
    /// <param name="asText">
    /// Whether its rows are asked for as text, which every type has, in a round trip of its own. Such a command is rewritten by Npgsql, so
    /// only what gives rows is sent that way: nothing of it has a semicolon outside of strings.
    /// </param>
    internal void Add(TOwner owner, SqlStatement statement, bool asText = false)
    {
        asText = asText && GivesRows(statement);
        _entries.Add(new Entry(statement.IsCopyFromStdin || asText ? null : () => new NpgsqlBatchCommand(statement.Text), statement, owner,
            asText));
    }

    /// <summary>Adds a command of our own that a statement of a file is part of.</summary>
    internal void Add(TOwner owner, SqlStatement statement, string command) =>
        _entries.Add(new Entry(() => new NpgsqlBatchCommand(command), statement, owner));

    /// <summary>Whether an error says that a result has a type without a binary form; then the same can be had as text.</summary>
    internal static bool WantsText(PostgresException error) =>
        error.SqlState == PostgresErrorCodes.UndefinedFunction
        && (error.Routine == "getTypeBinaryOutputInfo"
            || error.MessageText.StartsWith("no binary output function", StringComparison.Ordinal));

    private static bool GivesRows(SqlStatement statement) =>
        statement.Words(1) is [] or ["SELECT" or "WITH" or "VALUES" or "TABLE" or "INSERT" or "UPDATE"
        or "DELETE" or "MERGE" or "EXECUTE" or "FETCH" or "SHOW" or "EXPLAIN" or "CALL"];

    /// <summary>Runs the commands.</summary>
    /// <param name="marker">The name of the first column in results that <paramref name="onMarked"/> wants to see.</param>
    /// <param name="onMarked">Given the reader, on its first row, of each result so named. All other results are passed over.</param>
    /// <param name="cancellationToken">Once cancelled, nothing more begins. A running command is cancelled on the server, by whoever
    /// cancels the token: Npgsql would do it for the first result of a batch only, and break a connection that takes its time to roll
    /// back.</param>
    /// <exception cref="SqlPipelineException{TOwner}">The server refused a command, or was told to cancel it.</exception>
    /// <exception cref="NpgsqlException">The connection was lost.</exception>
    internal async Task RunAsync(string marker, Action<NpgsqlDataReader> onMarked, CancellationToken cancellationToken)
    {
        for (var i = 0; i < _entries.Count;)
        {
            if (_entries[i].Command is null)
            {
                var (_, statement, owner, asText) = _entries[i];
                (_at, _batch) = (i, null);
                await (asText ? RunAsTextAsync(statement!, owner, cancellationToken) : CopyAsync(statement!, owner, cancellationToken));
                i++;
                continue;
            }

            var start = i;
            while (i < _entries.Count && _entries[i].Command is not null)
            {
                i++;
            }

            cancellationToken.ThrowIfCancellationRequested();
            await RunBatchAsync(start, i, marker, onMarked);
        }
    }

    private async Task RunBatchAsync(int start, int end, string marker, Action<NpgsqlDataReader> onMarked)
    {
        var batch = new NpgsqlBatch(connection);
        for (var i = start; i < end; i++)
        {
            batch.BatchCommands.Add(_entries[i].Command!());
        }

        (_at, _batch) = (start, batch);

        try
        {
            await using (batch)
            {
                await using var reader = await batch.ExecuteReaderAsync(CancellationToken.None);
                do
                {
                    if (reader.FieldCount > 0 && reader.GetName(0) == marker
                        && await reader.ReadAsync(CancellationToken.None))
                    {
                        onMarked(reader);
                    }
                }
                while (await reader.NextResultAsync(CancellationToken.None));
            }

            for (var i = start; i < end; i++)
            {
                if (_entries[i].Statement is not null)
                {
                    var rows = Math.Max(batch.BatchCommands[i - start].RecordsAffected, 0);
                    Rows += rows;
                    Wrote?.Invoke(_entries[i].Owner, rows);
                }
            }
        }
        catch (PostgresException e) when (e.BatchCommand is not null)
        {
            var (_, statement, owner, _) = _entries[start + batch.BatchCommands.IndexOf((NpgsqlBatchCommand)e.BatchCommand)];
            throw new SqlPipelineException<TOwner>(e, owner, statement, e.BatchCommand.CommandText);
        }
    }

    private async Task RunAsTextAsync(SqlStatement statement, TOwner owner, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            await using var command = new NpgsqlCommand(statement.Text, connection) { AllResultTypesAreUnknown = true, CommandTimeout = 0 };
            await using var reader = await command.ExecuteReaderAsync(CancellationToken.None);
            while (await reader.NextResultAsync(CancellationToken.None))
            {
                // Nobody looks at the rows.
            }

            Rows += Math.Max(reader.RecordsAffected, 0);
        }
        catch (PostgresException e)
        {
            throw new SqlPipelineException<TOwner>(e, owner, statement, statement.Text);
        }
    }

    private async Task CopyAsync(SqlStatement statement, TOwner owner, CancellationToken cancellationToken)
    {
        try
        {
            var writer = await connection.BeginTextImportAsync(statement.Text, cancellationToken);
            try
            {
                // The file's bytes are UTF-8, as the connection's encoding is: the writer's own stream takes them unchanged. It makes one
                // message of what it is given at once, and the server begins with a message when it has all of it.
                var stream = ((StreamWriter)writer).BaseStream;
                for (var rest = statement.CopyData; rest.Length > 0; rest = rest[Math.Min(CopyMessageBytes, rest.Length)..])
                {
                    await stream.WriteAsync(rest[..Math.Min(CopyMessageBytes, rest.Length)], cancellationToken);
                }
            }
            catch
            {
                // Closing the writer would tell the server that the data is complete.
                await CancelAsync(writer);
                throw;
            }

            await writer.DisposeAsync();
        }
        catch (PostgresException e)
        {
            throw new SqlPipelineException<TOwner>(e, owner, statement, statement.Text);
        }
    }

    private static async Task CancelAsync(TextWriter writer)
    {
        try
        {
            await ((NpgsqlCopyTextWriter)writer).CancelAsync();
        }
        catch (NpgsqlException)
        {
            // The error that made us cancel is the one to report; the connection that failed here fails there too.
        }
    }
}
