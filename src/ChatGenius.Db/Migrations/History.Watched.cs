using ChatGenius.Db.Connections;

namespace ChatGenius.Db.Migrations;

/// <content>The first samples of what is watched before it is dropped.</content>
internal sealed partial class History
{
    /// <summary>Reads them, by table and column; of tables that are gone, nothing.</summary>
    /// <exception cref="ProblemException">CG0513: our role may not read them, or the table is not ours.</exception>
    internal async Task<ILookup<UsageTarget, UsageSample>> ReadWatchedAsync(Session session, CancellationToken cancellationToken)
    {
        if (Place.IsEmpty("watched"))
        {
            return Array.Empty<(UsageTarget, UsageSample)>().ToLookup(one => one.Item1, one => one.Item2);
        }

        var rows = await ReadTableAsync(
            "watched",
            session,
            [
                $"""
                SELECT w.table_oid, w.column_number, n.nspname::text, c.relname::text, a.attname::text, w.node, w.life, w.sampled_at,
                    ARRAY(SELECT k.key FROM jsonb_each_text(w.counters) k ORDER BY k.key),
                    ARRAY(SELECT k.value::int8 FROM jsonb_each_text(w.counters) k ORDER BY k.key)
                FROM (SELECT * FROM {From("watched")}) w JOIN pg_catalog.pg_class c ON c.oid = w.table_oid
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = w.column_number AND NOT a.attisdropped
                WHERE w.column_number = 0 OR a.attnum IS NOT NULL ORDER BY 3, 4, 2, w.node
                """,
            ],
            reader => Session.ResultAsync(
                reader,
                row => (
                    new UsageTarget(row.GetFieldValue<uint>(0), row.GetInt16(1), row.GetString(2), row.GetString(3),
                        row.IsDBNull(4) ? null : row.GetString(4)),
                    new UsageSample(
                        row.GetString(5), (row.GetString(6).Split('|')[0], row.GetString(6).Split('|')[1]), row.GetDateTime(7),
                        row.GetFieldValue<string[]>(8).Zip(row.GetFieldValue<long[]>(9))
                            .ToDictionary(one => one.First, one => one.Second))),
                cancellationToken),
            cancellationToken);
        return rows.ToLookup(one => one.Item1, one => one.Item2);
    }

    /// <summary>Puts first samples of a table or column in the place of those that there are; those of tables that are gone go.</summary>
    internal Task WriteWatchedAsync(
        Session session, UsageTarget target, IEnumerable<UsageSample> samples, CancellationToken cancellationToken) =>
        WriteAsync(
            session,
            ["watched"],
            [
                new SqlQuery(
                    $"""
                    DELETE FROM {_schema}.watched w WHERE (w.table_oid = $1 AND w.column_number = $2::int4)
                        OR NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = w.table_oid)
                    """,
                    target.Oid, (int)target.Column),
                .. samples.Select(sample => new SqlQuery(
                    $"""
                    INSERT INTO {_schema}.watched (table_oid, column_number, node, life, counters, sampled_at)
                    SELECT $1, $2::int4, $3, $4, (SELECT coalesce(jsonb_object_agg(k.key, k.value::int8), jsonb_build_object())
                        FROM unnest($5::text[], $6::text[]) AS k (key, value)), $7
                    """,
                    target.Oid, (int)target.Column, sample.Node, sample.StoredLife, sample.Counters.Keys.ToArray(),
                    sample.Counters.Values.Select(count => count.ToString(System.Globalization.CultureInfo.InvariantCulture)).ToArray(),
                    sample.At)),
            ],
            cancellationToken);
}
