using System.Text;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Schema;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Replay;

/// <summary>How a schema becomes migrations.</summary>
/// <param name="Read">What of a schema counts.</param>
/// <param name="Change">The forms of the statements.</param>
/// <param name="Excluded">Patterns of what does not count.</param>
/// <param name="WithPlatform">Whether what comes from the server counts too; see <see cref="SchemaSnapshot.WithPlatformOf"/>.</param>
internal sealed record SchemaMigrationOptions(
    SchemaReadOptions Read, SchemaChangeOptions Change, IReadOnlyCollection<string> Excluded, bool WithPlatform = true);

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
        foreach (var part in Parts(SchemaChanges.Between(before, options.WithPlatform ? counts : counts.WithPlatformOf(before),
            options.Change)))
        {
            var up = Up(part);
            var (after, down) = await UndoAsync(database, up, before, cancellationToken);
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

    private static string Up(List<SchemaStatement> part)
    {
        var alone = part.TrueForAll(statement => statement.IsAlone && statement.Question is null);
        return Section("up", alone, part.Select(statement => Text(statement, isCertain: statement.Question is null)));
    }

    /// <summary>Runs an up section, and writes what brings back the schema before it.</summary>
    private async Task<(SchemaSnapshot After, string Down)> UndoAsync(
        ThrowAwayDatabase database, string up, SchemaSnapshot before, CancellationToken cancellationToken)
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
        return (after, Down(before, after, section.Transactional));
    }

    /// <summary>
    /// What the up section made is what its down section takes away: that is no question. What it took away comes back without its rows.
    /// </summary>
    private static string Down(SchemaSnapshot before, SchemaSnapshot after, bool transactional)
    {
        var statements = transactional ? [] : SchemaChanges.Between(after, before);
        var alone = statements.Count > 0 && statements.All(statement => statement.IsAlone && statement.Question is null);
        if (!alone)
        {
            statements = SchemaChanges.Between(after, before, new SchemaChangeOptions { Concurrently = false, IsOffline = true });
        }

        var lost = SchemaChanges.Between(before, after).Where(statement => statement.IsLoss)
            .Select(statement => $"-- Does not come back: {statement.Question!.Split(" needed no more")[0]["are ".Length..]}\n");

        // What goes because of something else that goes is asked with it.
        var isOpen = statements.Any(statement => statement is { Question: not null, IsLoss: false, Follows: false });
        return Section("down", alone, lost.Concat(statements.Select(statement =>
            Text(statement, statement.Question is null || statement.IsLoss || (statement.Follows && !isOpen)))));
    }

    private static string Section(string name, bool alone, IEnumerable<string> statements)
    {
        var text = new StringBuilder($"-- migrate:{name}{(alone ? " transaction:false" : "")}\n");
        var all = statements.ToList();
        if (!alone && all.Exists(one => one.StartsWith("CREATE", StringComparison.Ordinal)
            && (one.Contains(" FUNCTION ", StringComparison.Ordinal) || one.Contains(" PROCEDURE ", StringComparison.Ordinal))))
        {
            // A body may name what comes after it.
            text.Append("SET LOCAL check_function_bodies = off;\n");
        }

        return text.AppendJoin("", all).ToString();
    }

    private static string Text(SchemaStatement statement, bool isCertain) => isCertain ? $"{statement.Sql};\n"
        : $"-- {Todo} {statement.Question}\n-- {statement.Sql.Replace("\n", "\n-- ", StringComparison.Ordinal)};\n";

    private async Task<SchemaSnapshot> ReadAsync(ThrowAwayDatabase database, CancellationToken cancellationToken) =>
        (await SchemaReader.ReadAsync(database.Database, options.Read, cancellationToken)).Schema.Without(options.Excluded);
}
