using System.Text;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Schema;
using ChatGenius.Db.Text;
using Npgsql;

namespace ChatGenius.Db.Replay;

/// <summary>How a schema becomes migrations.</summary>
/// <param name="Read">What of a schema counts.</param>
/// <param name="Change">The forms of the statements.</param>
/// <param name="Excluded">Patterns of what does not count.</param>
/// <param name="WithPlatform">Whether what comes from the server counts too; see <see cref="SchemaSnapshot.WithPlatformOf"/>.</param>
/// <param name="IsAdopted">Whether a database that has the history has the schema already, so that only others can lose rows: then a
/// condition in the file stops it there, in place of a question.</param>
internal sealed record SchemaMigrationOptions(
    SchemaReadOptions Read, SchemaChangeOptions Change, IReadOnlyCollection<string> Excluded, bool WithPlatform = true,
    bool IsAdopted = false);

/// <summary>
/// Writes migrations from the difference of two schemas. What undoes a file is not thought up: its up section is run on a replay, and the
/// difference between before and after is read back.
/// </summary>
/// <param name="replayer">Where migrations are replayed.</param>
/// <param name="chain">The migrations that come before.</param>
/// <param name="options">What counts.</param>
internal sealed class SchemaMigrations(Replayer replayer, IReadOnlyList<Migration> chain, SchemaMigrationOptions options)
{
    /// <summary>The mark of a question that is open in a file.</summary>
    public const string Todo = "cgdb:todo";

    /// <summary>Writes what a schema has beyond the migrations, in as many files as its forms need.</summary>
    /// <param name="wanted">The schema, read with <see cref="SchemaParts.Dependencies"/>, or from a file.</param>
    /// <param name="name">The files' name; those after the first have a number after it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>None where the migrations make that schema.</returns>
    /// <exception cref="ProblemException">CG1406: a statement does not run; and those of <see cref="Replayer.OpenAsync"/>.</exception>
    public async Task<IReadOnlyList<ScaffoldedMigration>> WriteAsync(
        SchemaSnapshot wanted, string name, CancellationToken cancellationToken = default)
    {
        await using var database = await replayer.OpenAsync(chain, cancellationToken: cancellationToken);
        var before = await ReadAsync(database, cancellationToken);
        var written = new List<ScaffoldedMigration>();
        var counts = wanted.Without(options.Excluded);
        var statements = await SettleAsync(
            database, SchemaChanges.Between(before, options.WithPlatform ? counts : counts.WithPlatformOf(before), options.Change),
            cancellationToken);
        var remarks = statements.Where(statement => statement.IsRemark).ToList();
        var conditions = Conditions(statements);
        foreach (var part in Parts(statements.Except(remarks)))
        {
            // The first file asks for all of them: otherwise it would be the last one that finds rows which must not be lost.
            var up = written.Count == 0 ? Up([.. remarks, .. part], conditions) : Up(part, Conditions(part));
            // The down undoes what the file does where rows and values are needed no more.
            var (after, down) = await UndoAsync(
                database, Up(part.ConvertAll(one => one.IsLoss || one.Follows ? one with { Question = null } : one), []), before,
                cancellationToken, conditions);
            written.Add(new ScaffoldedMigration(written.Count == 0 ? name : $"{name}_{written.Count + 1}", $"{up}\n{down}"));
            before = after;
        }

        return written;
    }

    /// <summary>Writes the down section of an up section that is there.</summary>
    /// <exception cref="ProblemException">CG1406: a statement does not run; and those of <see cref="Replayer.OpenAsync"/>.</exception>
    public async Task<string> DownAsync(MigrationSection up, CancellationToken cancellationToken = default)
    {
        await using var database = await replayer.OpenAsync(chain, cancellationToken: cancellationToken);
        var before = await ReadAsync(database, cancellationToken);
        return (await UndoAsync(database, up.Text, before, cancellationToken)).Down;
    }

    /// <summary>Answers what the rows of the replay answer, together with a condition in the file.</summary>
    private async Task<List<SchemaStatement>> SettleAsync(
        ThrowAwayDatabase database, IReadOnlyList<SchemaStatement> statements, CancellationToken cancellationToken)
    {
        var settled = new List<SchemaStatement>();
        await using var session = await Session.OpenAsync(database.Database, "looking for rows of migrations", cancellationToken);
        foreach (var statement in statements)
        {
            if (options.IsAdopted && statement is { Question: not null, SafeWhere: { } where }
                && await IsTrueAsync(session, where, cancellationToken))
            {
                settled.Add(statement with { Question = null });
            }
            else if (statement is { Question: { } question, Apart: { } apart })
            {
                settled.AddRange([
                    new SchemaStatement(apart.Certain),
                    new SchemaStatement(apart.Asked) { Question = $"{question} (Fill it with an UPDATE above the next statement.)" },
                ]);
            }
            else
            {
                settled.Add(statement with { SafeWhere = null });
            }
        }

        return settled.ConvertAll(one =>
            one.Follows && !settled.Exists(one.FollowsIt) ? one with { Question = null } : one);
    }

    /// <summary>Whether the answer is yes; what a statement before it would make can't be asked.</summary>
    private static async Task<bool> IsTrueAsync(Session session, string query, CancellationToken cancellationToken)
    {
        try
        {
            return await session.ScalarAsync<bool>(query, cancellationToken);
        }
        catch (ProblemException e) when (e.InnerException is PostgresException { SqlState: "42P01" or "42703" })
        {
            return false;
        }
    }

    /// <summary>
    /// Statements that can go into one file: those outside of a transaction by themselves, and a check of rows not in the transaction whose
    /// lock it would hold.
    /// </summary>
    private static IEnumerable<List<SchemaStatement>> Parts(IEnumerable<SchemaStatement> statements)
    {
        var part = new List<SchemaStatement>();
        foreach (var statement in statements)
        {
            var validates = statement.Sql.Contains(" VALIDATE CONSTRAINT ", StringComparison.Ordinal);
            if (part.Count > 0 && (IsAlone(part[^1]) != IsAlone(statement)
                || (validates && part.Exists(one => one.Sql.EndsWith(" NOT VALID", StringComparison.Ordinal)))))
            {
                yield return part;
                part = [];
            }

            part.Add(statement);
        }

        if (part.Count > 0)
        {
            yield return part;
        }

        static bool IsAlone(SchemaStatement statement) => statement.IsAlone && statement.Question is null;
    }

    private static string Up(List<SchemaStatement> part, List<string> conditions)
    {
        var alone = part.TrueForAll(statement => statement.IsRemark || (statement.IsAlone && statement.Question is null));
        return Section("up", alone, part.Select(statement => Text(statement, isCertain: statement.Question is null)),
            conditions.Count == 0 ? "" : "-- Where rows would be lost, or have no value for a NOT NULL column, nothing of it runs.\n"
                + string.Concat(conditions.Select(one => $"-- cgdb:require {one};\n")));
    }

    /// <summary>What must be true where statements run whose question it has answered.</summary>
    private static List<string> Conditions(IEnumerable<SchemaStatement> statements) =>
        [.. statements.Where(statement => statement.Question is null).Select(statement => statement.SafeWhere).OfType<string>().Distinct()];

    /// <summary>Runs an up section, and writes what brings back the schema before it.</summary>
    private async Task<(SchemaSnapshot After, string Down)> UndoAsync(
        ThrowAwayDatabase database, string up, SchemaSnapshot before, CancellationToken cancellationToken, List<string>? conditions = null)
    {
        var section = MigrationParser.ParseSection(SourceText.From("up.sql", up));
        await replayer.RunAsync(
            database,
            async session =>
            {
                if (await session.RunAsync(section, cancellationToken) is { } error)
                {
                    throw new ProblemException(
                        "CG1406", $"The statements don't run on what the migrations make: {error.MessageText} (SQLSTATE {error.SqlState})",
                        advice: "Leave out what they need with --exclude, or make it in a migration first.", cause: error);
                }
            },
            cancellationToken);
        var after = await ReadAsync(database, cancellationToken);
        return (after, await DownAsync(database, before, after, section.Transactional, conditions ?? [], cancellationToken));
    }

    /// <summary>
    /// What the up section made is what its down section takes away: that is no question. What it took away comes back without its rows.
    /// </summary>
    private async Task<string> DownAsync(
        ThrowAwayDatabase database, SchemaSnapshot before, SchemaSnapshot after, bool transactional, List<string> conditions,
        CancellationToken cancellationToken)
    {
        var statements = transactional ? [] : SchemaChanges.Between(after, before);
        var alone = statements.Count > 0 && statements.All(statement => statement.IsAlone && statement.Question is null);
        if (!alone)
        {
            statements = await SettleAsync(
                database, SchemaChanges.Between(after, before, new SchemaChangeOptions { Concurrently = false, IsOffline = true }),
                cancellationToken);
        }

        var lost = SchemaChanges.Between(before, after)
            .Where(statement => statement.IsLoss && !conditions.Contains(statement.SafeWhere ?? ""))
            .Select(statement => $"-- Does not come back: {statement.Question!.Split(" needed no more")[0]["are ".Length..]}\n");

        // What goes because of something else that goes is asked with it.
        var isOpen = statements.Any(statement => statement is { Question: not null, IsLoss: false, Follows: false, IsRemark: false });
        return Section("down", alone, lost.Concat(statements.Select(statement =>
            Text(statement, statement.Question is null || statement.IsLoss || (statement.Follows && !isOpen)))));
    }

    private static string Section(string name, bool alone, IEnumerable<string> statements, string head = "")
    {
        var text = new StringBuilder($"-- migrate:{name}{(alone ? " transaction:false" : "")}\n{head}");
        var all = statements.ToList();
        if (!alone && all.Exists(one => one.StartsWith("CREATE", StringComparison.Ordinal)
            && (one.Contains(" FUNCTION ", StringComparison.Ordinal) || one.Contains(" PROCEDURE ", StringComparison.Ordinal))))
        {
            // A body may name what comes after it.
            text.Append("SET LOCAL check_function_bodies = off;\n");
        }

        return text.AppendJoin("", all).ToString();
    }

    private static string Text(SchemaStatement statement, bool isCertain) => statement.IsRemark ? $"-- Note: {statement.Question}.\n"
        : isCertain ? $"{statement.Sql};\n"
        : $"-- {Todo} {statement.Question}\n-- {statement.Sql.Replace("\n", "\n-- ", StringComparison.Ordinal)};\n";

    private async Task<SchemaSnapshot> ReadAsync(ThrowAwayDatabase database, CancellationToken cancellationToken) =>
        (await SchemaReader.ReadAsync(database.Database, options.Read, cancellationToken)).Schema.Without(options.Excluded);
}
