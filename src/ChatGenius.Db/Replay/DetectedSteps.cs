using ChatGenius.Db.Connections;

namespace ChatGenius.Db.Replay;

/// <summary>Something that holds in a schema: an object is there, or one of its facts is this.</summary>
internal readonly record struct SchemaTruth(string Kind, string Name, string Key, string Text)
{
    internal string Subject => Key.Length == 0 ? $"{Kind} {Name}" : $"{Kind} {Name}: {Key}";
}

/// <summary>What one of several migrations did on a replay.</summary>
/// <param name="Number">Which one, from 0.</param>
/// <param name="Added">What holds since.</param>
/// <param name="Removed">What no longer holds.</param>
/// <param name="Named">Rows whose keys it says, where it changes rows only.</param>
internal sealed record DetectedStep(
    int Number, List<SchemaTruth> Added, List<SchemaTruth> Removed, IReadOnlyList<NamedRows> Named);

/// <summary>
/// What migrations did on a replay, kept in the database that they built: who looks again, or at another database, gets it with a copy.
/// </summary>
internal static class DetectedSteps
{
    private const string Schema = "chatgenius_db_steps";

    internal static Task KeepAsync(Session session, IEnumerable<DetectedStep> steps, CancellationToken cancellationToken) =>
        session.WriteAsync(
            [
                $"CREATE SCHEMA {Schema}",
                $"CREATE TABLE {Schema}.steps (number int4, added text[], removed text[])",
                $"CREATE TABLE {Schema}.named (number int4, place text[], key text[], rows text[])",
                .. steps.SelectMany(step => step.Named
                    .Select(rows => new SqlQuery(
                        $"INSERT INTO {Schema}.named VALUES ($1, $2, $3, $4)", step.Number, new[] { rows.Schema, rows.Table }, rows.Key,
                        rows.Rows))
                    .Prepend(new SqlQuery(
                        $"INSERT INTO {Schema}.steps VALUES ($1, $2, $3)", step.Number, Flat(step.Added), Flat(step.Removed)))),
            ],
            cancellationToken);

    internal static async Task<IReadOnlyList<DetectedStep>> ReadAsync(Session session, CancellationToken cancellationToken)
    {
        var named = (await session.RowsAsync(
            $"SELECT number, place, key, rows FROM {Schema}.named",
            row => (Number: row.GetInt32(0), Place: row.GetFieldValue<string[]>(1), Key: row.GetFieldValue<string[]>(2),
                Rows: row.GetFieldValue<string[]>(3)),
            cancellationToken)).ToLookup(row => row.Number, row => new NamedRows(row.Place[0], row.Place[1], row.Key, row.Rows));
        return await session.RowsAsync(
            $"SELECT number, added, removed FROM {Schema}.steps ORDER BY number",
            row => new DetectedStep(
                row.GetInt32(0), Truths(row.GetFieldValue<string[]>(1)), Truths(row.GetFieldValue<string[]>(2)),
                [.. named[row.GetInt32(0)]]),
            cancellationToken);
    }

    private static string[] Flat(IEnumerable<SchemaTruth> truths) =>
        [.. truths.SelectMany(truth => new[] { truth.Kind, truth.Name, truth.Key, truth.Text })];

    private static List<SchemaTruth> Truths(string[] flat) =>
        [.. flat.Chunk(4).Select(truth => new SchemaTruth(truth[0], truth[1], truth[2], truth[3]))];
}
