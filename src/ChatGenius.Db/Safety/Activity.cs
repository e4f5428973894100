namespace ChatGenius.Db.Safety;

/// <summary>What a session did to one relation since some moment of its transaction (<c>pg_stat_xact_all_tables</c>).</summary>
/// <param name="SequentialScans">Full scans started, those of index builds and rewrites too.</param>
/// <param name="TuplesRead">Rows that those scans read.</param>
/// <param name="IndexScans">Index scans started.</param>
/// <param name="Inserted">Rows inserted.</param>
/// <param name="Updated">Rows updated.</param>
/// <param name="Deleted">Rows deleted, by a cascade too.</param>
internal readonly record struct Activity(long SequentialScans, long TuplesRead, long IndexScans, long Inserted, long Updated, long Deleted)
{
    /// <summary>Whether the relation was scanned, one way or the other: a foreign key's check may use an index only.</summary>
    public bool Scanned => SequentialScans > 0 || IndexScans > 0;

    /// <summary>Rows written.</summary>
    public long Written => Inserted + Updated + Deleted;

    /// <summary>An equal part of it, whatever is left over aside.</summary>
    internal Activity Part(int of) =>
        new(SequentialScans / of, TuplesRead / of, IndexScans / of, Inserted / of, Updated / of, Deleted / of);

    /// <summary>The same several times over.</summary>
    internal Activity Times(int count) => new(
        SequentialScans * count, TuplesRead * count, IndexScans * count, Inserted * count, Updated * count, Deleted * count);

    /// <summary>What was done between two readings.</summary>
    public static Activity operator -(Activity after, Activity before) => new(
        after.SequentialScans - before.SequentialScans, after.TuplesRead - before.TuplesRead, after.IndexScans - before.IndexScans,
        after.Inserted - before.Inserted, after.Updated - before.Updated, after.Deleted - before.Deleted);

    /// <summary>What was done in both.</summary>
    public static Activity operator +(Activity one, Activity other) => new(
        one.SequentialScans + other.SequentialScans, one.TuplesRead + other.TuplesRead, one.IndexScans + other.IndexScans,
        one.Inserted + other.Inserted, one.Updated + other.Updated, one.Deleted + other.Deleted);
}
