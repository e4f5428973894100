using System.Collections.Immutable;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Schema;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Safety;

/// <summary>
/// Takes a migration up, down and up again on the throw-away database, and compares: the schema, and the rows of the tables that
/// a statement which can take rows away names. The database ends as it is after up.
/// </summary>
/// <param name="tracer">The database.</param>
/// <param name="schema">Its schema, where <see cref="ReadSchemaAsync(Session, Session, CancellationToken)"/> has read it already.</param>
/// <param name="beside">Another session there, which reads a part of the schema; null where one reads all.</param>
internal sealed class RoundTripper(Tracer tracer, SchemaSnapshot? schema = null, Session? beside = null)
{
    private static readonly SchemaReadOptions ReadOptions = new() { StaysPrepared = true };
    private SchemaSnapshot? _schema = schema;

    /// <summary>Runs a migration.</summary>
    /// <returns>The trace of the first up; what the round trip showed, or null where there is no way back or up did not come to its
    /// end.</returns>
    /// <exception cref="NpgsqlException">The connection was lost.</exception>
    public async Task<(Trace Trace, RoundTrip? RoundTrip)> RunAsync(Migration migration, CancellationToken cancellationToken = default)
    {
        var (trace, comparing) = await RunAheadAsync(migration, cancellationToken);
        return (trace, await comparing);
    }

    /// <summary>The same; what was read of the round trip is still compared when it returns, and needs no database any more.</summary>
    internal async Task<(Trace Trace, Task<RoundTrip?> RoundTrip)> RunAheadAsync(
        Migration migration, CancellationToken cancellationToken)
    {
        // What the last migration left is known only where it came to its end.
        var known = tracer.IsStale ? null : _schema;
        _schema = null;
        if (tracer.IsStale)
        {
            await tracer.RefreshAsync(cancellationToken);
        }

        if (!HasWayBack(migration))
        {
            return (await tracer.TraceAsync(migration.Up, cancellationToken), Known(null));
        }

        var before = known ?? await ReadSchemaAsync(cancellationToken);
        var rows = await CountAsync(Endangered(tracer.Catalog, migration), cancellationToken);
        var trace = await tracer.TraceAsync(migration.Up, cancellationToken);
        if (!trace.Completed || trace.Statements.Any(statement => statement.IsUnjudged))
        {
            return (trace, Known(null));
        }

        rows = migration.Up.Keep ? await UntouchedAsync(rows, cancellationToken) : rows;
        var after = await ReadSchemaAsync(cancellationToken);
        if (await tracer.RunAsync(migration.Down, cancellationToken) is { } downError)
        {
            return (trace, Known(new RoundTrip([], [], [], $"Down fails: {downError.MessageText} ({downError.SqlState})")));
        }

        // What was read is compared while the server works.
        var restored = rows.Count == 0 ? await ReadSchemaAsync(cancellationToken) : await RefreshAsync(cancellationToken);
        var undone = CompareAsync(before, restored);
        var lost = rows.Count == 0 ? ImmutableArray<Loss>.Empty : await LostAsync(rows, cancellationToken);
        if (await tracer.RunAsync(migration.Up, cancellationToken) is { } upError)
        {
            await tracer.RefreshAsync(cancellationToken);
            return (trace, TripAsync(undone, null, lost, $"Up after down fails: {upError.MessageText} ({upError.SqlState})"));
        }

        _schema = await RefreshAsync(cancellationToken);
        return (trace, TripAsync(undone, CompareAsync(after, _schema), lost, failure: null));
    }

    /// <summary>Reads the schema, and the catalog for the tracer: its two sessions at the same time, where these are two.</summary>
    private async Task<SchemaSnapshot> RefreshAsync(CancellationToken cancellationToken)
    {
        var reading = ReadSchemaAsync(cancellationToken);
        await (tracer.IsPooled ? reading : Task.CompletedTask);
        await Task.WhenAll(reading, tracer.RefreshAsync(cancellationToken));
        return await reading;
    }

    private static Task<RoundTrip?> Known(RoundTrip? roundTrip) => Task.FromResult(roundTrip);

    private static Task<ImmutableArray<string>> CompareAsync(SchemaSnapshot before, SchemaSnapshot after) =>
        Task.Run<ImmutableArray<string>>(() => [.. Differences(before, after)], CancellationToken.None);

    private static async Task<RoundTrip?> TripAsync(
        Task<ImmutableArray<string>> undone, Task<ImmutableArray<string>>? again, ImmutableArray<Loss> lost, string? failure) =>
        new(await undone, again is null ? [] : await again, lost, failure);

    /// <summary>Whether there is a down section that says how.</summary>
    internal static bool HasWayBack(Migration migration) => !migration.Down.Irreversible && migration.Down.Script.Statements.Count > 0;

    /// <summary>Reads the schema as it is compared.</summary>
    internal static Task<SchemaSnapshot> ReadSchemaAsync(Session session, Session? beside, CancellationToken cancellationToken) =>
        SchemaReader.ReadAsync(session, beside, ReadOptions, cancellationToken);

    private Task<SchemaSnapshot> ReadSchemaAsync(CancellationToken cancellationToken) =>
        tracer.ReadAsync((session, token) => ReadSchemaAsync(session, beside, token), cancellationToken);

    /// <summary>The order of columns is left out: no down can put a column back where it was.</summary>
    internal static IEnumerable<string> Differences(SchemaSnapshot before, SchemaSnapshot after) =>
        SchemaDiff.Between(before, after).Where(difference => difference.Fact != "order of columns")
            .Select(difference => difference.ToString());

    /// <summary>Tables, and their columns, that a statement names which can take rows or values away.</summary>
    private static IEnumerable<(Relation Table, Column? Column)> Endangered(Catalog catalog, Migration migration)
    {
        var names = migration.Up.Script.Statements.Concat(migration.Down.Script.Statements)
            .Select(statement => new StatementText(statement))
            .Where(text => text.Tokens.Any(token => token.Text is "DROP" or "DELETE" or "TRUNCATE"
                || (token.Text == "TYPE" && text.Is("ALTER"))))
            .SelectMany(text => text.Tokens.Select(token => token.Name).OfType<string>())
            .ToHashSet(StringComparer.Ordinal);
        foreach (var table in catalog.Relations.Values.Where(relation => relation.IsTable && names.Contains(relation.Name)))
        {
            yield return (table, null);
            foreach (var column in catalog.ColumnsOf(table.Oid).Where(column => names.Contains(column.Name)))
            {
                yield return (table, column);
            }
        }
    }

    private async Task<List<Counted>> CountAsync(
        IEnumerable<(Relation Table, Column? Column)> items, CancellationToken cancellationToken)
    {
        var counts = new List<Counted>();
        foreach (var (table, column) in items)
        {
            var (count, sum) = await tracer.CountAsync(table, column, cancellationToken);
            counts.Add(new Counted(table, column, count, sum));
        }

        return counts;
    }

    /// <summary>
    /// What an up with <c>keep:true</c> has left as it was. What it destroys is kept, and a rollback puts it back after the down section,
    /// which does not run here; so only what the down section itself destroys can be lost, of the rows that are left.
    /// </summary>
    private async Task<List<Counted>> UntouchedAsync(List<Counted> before, CancellationToken cancellationToken)
    {
        var (left, shrunk) = (new List<Counted>(), new HashSet<uint>());
        foreach (var counted in before)
        {
            var table = tracer.Catalog.Find(counted.Table.Oid);
            var column = table is null || counted.Column is null ? null
                : tracer.Catalog.ColumnsOf(table.Oid).FirstOrDefault(column => column.Number == counted.Column.Number);
            if (table is not null && (counted.Column is null || column is not null))
            {
                var (count, sum) = await tracer.CountAsync(table, column, cancellationToken);
                _ = column is null && count < counted.Count && shrunk.Add(table.Oid);
                left.AddRange(column is null || sum == counted.Sum || shrunk.Contains(table.Oid)
                    ? [counted with { Count = Math.Min(count, counted.Count), Sum = sum }] : []);
            }
        }

        return left;
    }

    private async Task<ImmutableArray<Loss>> LostAsync(List<Counted> before, CancellationToken cancellationToken)
    {
        var lost = new List<Loss>();
        var shrunk = new HashSet<Relation>();
        foreach (var (table, column, count, sum) in before)
        {
            var now = tracer.Catalog.Find(table.Schema, table.Name);
            var columnNow = column is null || now is null ? null
                : tracer.Catalog.ColumnsOf(now.Oid).FirstOrDefault(c => c.Name == column.Name);
            var gone = now is null || (column is not null && columnNow is null);
            var (left, leftSum) = gone ? (0, 0) : await tracer.CountAsync(now!, columnNow, cancellationToken);
            if (column is null && left < count)
            {
                shrunk.Add(table);
                lost.Add(new Loss(table.Display, Names.Count(count - left, "row")));
            }
            else if (column is not null && sum != leftSum && !shrunk.Contains(table))
            {
                var isAnother = gone || now!.Oid != table.Oid || columnNow!.Number != column.Number;
                lost.Add(new Loss($"{table.Display}.{column.Name}", isAnother || left < count
                    ? Names.Count(isAnother ? count : count - left, "value") : "the values"));
            }
        }

        return [.. lost];
    }

    /// <summary>A table's rows, or a column's values, before up.</summary>
    private sealed record Counted(Relation Table, Column? Column, long Count, long Sum);
}
