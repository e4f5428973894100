using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Server;

/// <summary>A copy of a database that it can be put back to.</summary>
/// <param name="Name">What it was called when it was saved.</param>
/// <param name="DatabaseName">The database on the same server that holds it.</param>
/// <param name="SavedAt">When it was saved.</param>
/// <param name="Bytes">Its size; null where the role may not see it.</param>
internal sealed record Checkpoint(string Name, string DatabaseName, DateTimeOffset SavedAt, long? Bytes)
{
    /// <summary>The comment that the database had, which the copy can't have because its own comment says what it is.</summary>
    internal string? Comment { get; init; }
}

/// <summary>
/// Copies of a database on its own server, made with <c>CREATE DATABASE … TEMPLATE</c> (chapter "Template Databases"), so that a
/// developer can try a migration and be back in a second. A copy takes no connections, and its comment says whose it is; one without
/// the comment was never finished and counts for nothing.
/// </summary>
internal sealed class Checkpoints
{
    private const string Mark = "chatgenius-db checkpoint ";
    private const int LongestName = 100;

    private readonly Database _database;
    private readonly string _name;

    /// <summary>The checkpoints of a database.</summary>
    public Checkpoints(Database database) => (_database, _name) = (database, database.Url.DatabaseName);

    /// <summary>The sessions that use the database, in words; it can be neither saved nor put back while there are any.</summary>
    /// <exception cref="ProblemException">CG0610 to CG0629: the server can't be reached.</exception>
    public Task<IReadOnlyList<string>> SessionsAsync(CancellationToken cancellationToken = default) =>
        WithServerAsync(hold: false, session => new DatabaseCopy(session).SessionsAsync(_name, cancellationToken), cancellationToken);

    /// <summary>The database's checkpoints, the newest first.</summary>
    /// <exception cref="ProblemException">CG0610 to CG0629: the server can't be reached.</exception>
    public Task<IReadOnlyList<Checkpoint>> ListAsync(CancellationToken cancellationToken = default) =>
        WithServerAsync(hold: false, session => ListAsync(session, cancellationToken), cancellationToken);

    /// <summary>One checkpoint.</summary>
    /// <exception cref="ProblemException">CG0610 to CG0629: the server can't be reached; CG1312: there is no such checkpoint.</exception>
    public async Task<Checkpoint> GetAsync(string name, CancellationToken cancellationToken = default) =>
        Find(name, await ListAsync(cancellationToken));

    /// <summary>Copies the database as it is.</summary>
    /// <param name="name">1 to 100 characters, none of them a control character.</param>
    /// <param name="endSessions">Whether the sessions that use the database may be ended.</param>
    /// <param name="cancellationToken">Ends the copying; what is half made is taken away.</param>
    /// <exception cref="ProblemException">
    /// CG0610 to CG0629: the server can't be reached; CG1310: the name can't be one; CG1311: there is one of this name; CG1313: sessions
    /// use the database; CG1314: the server refuses; CG1315: another call works on the database's checkpoints.
    /// </exception>
    public async Task<Checkpoint> SaveAsync(string name, bool endSessions, CancellationToken cancellationToken = default) =>
        name.Length is 0 or > LongestName || name.Any(char.IsControl)
            ? throw new ProblemException(
                "CG1310", "This can't be a checkpoint's name",
                advice: $"Use 1 to {LongestName} characters, none of them a line break or another control character.")
            : await WithServerAsync(hold: true, session => CopyAsync(session, name, endSessions, cancellationToken), cancellationToken);

    /// <summary>
    /// Puts the database back. The checkpoint is copied first, and the copy takes the database's place by two renames in one transaction:
    /// whatever fails, one of the two is there, whole, under its name. The checkpoint stays.
    /// </summary>
    /// <param name="name">The checkpoint.</param>
    /// <param name="endSessions">Whether the sessions that use the database may be ended.</param>
    /// <param name="cancellationToken">Ends the copying; the database then is as it was.</param>
    /// <returns>Null, or the problem CG1316: the database was put back, but what it was before could not be dropped.</returns>
    /// <exception cref="ProblemException">As <see cref="SaveAsync"/>; CG1312: there is no such checkpoint.</exception>
    public Task<Problem?> RestoreAsync(string name, bool endSessions, CancellationToken cancellationToken = default) =>
        WithServerAsync(hold: true, session => PutBackAsync(session, name, endSessions, cancellationToken), cancellationToken);

    /// <summary>Drops a checkpoint.</summary>
    /// <exception cref="ProblemException">CG0610 to CG0629: the server can't be reached; CG1312, CG1314, CG1315: as for
    /// <see cref="RestoreAsync"/>.</exception>
    public Task<Checkpoint> DropAsync(string name, CancellationToken cancellationToken = default) =>
        WithServerAsync(hold: true, async session =>
    {
        var checkpoint = Find(name, await ListAsync(session, cancellationToken));
        await new DatabaseCopy(session).DropAsync(checkpoint.DatabaseName, cancellationToken);
        return checkpoint;
    }, cancellationToken);

    /// <summary>
    /// The name of the database for a checkpoint. Names of any length and with any characters have to fit into 63 bytes and stay apart:
    /// both names are readable in it as far as they fit, and the sum of both keeps it from meeting another.
    /// </summary>
    internal string DatabaseFor(string kind, string checkpoint)
    {
        var sum = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{_name}\0{kind}\0{checkpoint}")))[..12];
        return $"{Readable(_name, 20)}_{kind}_{(checkpoint.Length == 0 ? "" : Readable(checkpoint, 18) + "_")}{sum}";
    }

    private static string Readable(string name, int length) =>
        new([.. name.Take(length).Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : '_')]);

    private async Task<Checkpoint> CopyAsync(Session session, string name, bool endSessions, CancellationToken cancellationToken)
    {
        var known = await ListAsync(session, cancellationToken);
        if (known.FirstOrDefault(checkpoint => checkpoint.Name == name) is { } there)
        {
            throw new ProblemException(
                "CG1311",
                string.Create(CultureInfo.InvariantCulture,
                    $"There is a checkpoint \"{name}\" already, saved {there.SavedAt:yyyy-MM-dd HH:mm:ss} UTC"),
                advice: $"Choose another name, or drop it first with {new ToolCall("checkpoint", "drop", name)}.");
        }

        var copy = new DatabaseCopy(session);
        var note = new CheckpointNote(
            _name, name, TimeProvider.System.GetUtcNow(), await copy.CommentAsync(_name, cancellationToken));
        var comment = Mark + JsonSerializer.Serialize(note, CheckpointJson.Default.CheckpointNote);
        await copy.MakeAsync(_name, DatabaseFor("checkpoint", name), comment, isOpen: false, endSessions, cancellationToken);
        return Find(name, await ListAsync(session, cancellationToken));
    }

    private async Task<Problem?> PutBackAsync(Session session, string name, bool endSessions, CancellationToken cancellationToken)
    {
        var checkpoint = Find(name, await ListAsync(session, cancellationToken));
        var copy = new DatabaseCopy(session);
        var (fresh, replaced) = (DatabaseFor("restoring", ""), DatabaseFor("replaced", ""));

        // A call that was killed between the renames and the end leaves the replaced one behind.
        await copy.DropAsync(replaced, cancellationToken);
        await copy.MakeAsync(checkpoint.DatabaseName, fresh, checkpoint.Comment, isOpen: true, endSessions: false, cancellationToken);
        try
        {
            await copy.SwapAsync(_name, fresh, replaced, endSessions, cancellationToken);
        }
        catch (Exception) when (copy.IsConnected)
        {
            await copy.DropAsync(fresh, CancellationToken.None);
            throw;
        }

        try
        {
            await copy.DropAsync(replaced, cancellationToken);
            return null;
        }
        catch (ProblemException e)
        {
            return new Problem("CG1316",
                $"What the database was before is still there as {SqlIdentifier.Quote(replaced)}: {e.Problems[0].Message}",
                Advice: $"DROP DATABASE {SqlIdentifier.Quote(replaced)}, or restore again: that drops it first.");
        }
    }

    /// <summary>Runs in a session with another database of the server, with the lock of this database's checkpoints where that is asked
    /// for.</summary>
    private async Task<T> WithServerAsync<T>(bool hold, Func<Session, Task<T>> act, CancellationToken cancellationToken)
    {
        await using var session = await Session.OpenMaintenanceAsync(_database, "working on the checkpoints", cancellationToken);
        if (hold)
        {
            await HoldAsync(session, cancellationToken);
        }

        return await act(session);
    }

    /// <summary>
    /// The lock goes with the session. It keeps two calls from taking each other's unfinished copy for a left-over. Behind a pooler it
    /// would stay with a session that is not ours, and then the second call fails where it meets the first.
    /// </summary>
    private async Task HoldAsync(Session session, CancellationToken cancellationToken)
    {
        var hold = new SqlQuery("SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended($1, 0))", Mark + _name);
        if (await session.OwnsBackendAsync(cancellationToken) && !await session.ScalarAsync<bool>(hold, cancellationToken))
        {
            throw new ProblemException(
                "CG1315", $"Another call works on the checkpoints of {SqlIdentifier.Quote(_name)}", advice: "Wait until it has ended.");
        }
    }

    /// <summary>A comment can be written by every owner of a database: a copy is believed where it belongs to us, the original's owner or a
    /// superuser.</summary>
    private async Task<IReadOnlyList<Checkpoint>> ListAsync(Session session, CancellationToken cancellationToken)
    {
        const string Query =
            """
            SELECT d.datname::text, pg_catalog.shobj_description(d.oid, 'pg_database'),
                   CASE WHEN pg_catalog.has_database_privilege(d.oid, 'CONNECT') THEN pg_catalog.pg_database_size(d.oid) END
            FROM pg_catalog.pg_database d JOIN pg_catalog.pg_roles owner ON owner.oid = d.datdba
            WHERE pg_catalog.starts_with(pg_catalog.shobj_description(d.oid, 'pg_database'), $1)
              AND (owner.rolsuper OR owner.rolname = current_user
                   OR owner.oid = (SELECT datdba FROM pg_catalog.pg_database WHERE datname = $2))
            """;
        var found = await session.RowsAsync(
            new SqlQuery(Query, Mark, _name),
            reader => Read(reader.GetString(1)[Mark.Length..]) is { } note && note.Database == _name
                ? new Checkpoint(note.Name, reader.GetString(0), note.SavedAt, reader.IsDBNull(2) ? null
                    : reader.GetInt64(2)) { Comment = note.Comment }
                : null,
            cancellationToken);
        return [.. found.OfType<Checkpoint>().OrderByDescending(checkpoint => checkpoint.SavedAt)];
    }

    private static CheckpointNote? Read(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, CheckpointJson.Default.CheckpointNote);
        }
        catch (JsonException)
        {
            // Somebody else's comment that begins like ours.
            return null;
        }
    }

    private static Checkpoint Find(string name, IReadOnlyList<Checkpoint> checkpoints) =>
        checkpoints.FirstOrDefault(checkpoint => checkpoint.Name == name) ?? throw new ProblemException(
            "CG1312", $"There is no checkpoint \"{name}\"",
            advice: checkpoints.Count == 0 ? "There are none of this database."
                : $"There are {string.Join(", ", checkpoints.Select(c => $"\"{c.Name}\""))}.");
}

/// <summary>What the comment on a checkpoint's database says.</summary>
internal sealed record CheckpointNote(string Database, string Name, DateTimeOffset SavedAt, string? Comment);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CheckpointNote))]
internal sealed partial class CheckpointJson : JsonSerializerContext;
