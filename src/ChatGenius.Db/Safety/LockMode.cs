namespace ChatGenius.Db.Safety;

/// <summary>
/// PostgreSQL's table-level lock modes, weakest first (documentation: "Explicit Locking", section 13.3.1). The numbers are
/// the server's own (<c>lockdefs.h</c>).
/// </summary>
internal enum LockMode
{
    /// <summary>No lock.</summary>
    None = 0,

    /// <summary>Taken by SELECT.</summary>
    AccessShare = 1,

    /// <summary>Taken by SELECT FOR UPDATE and by foreign-key checks.</summary>
    RowShare = 2,

    /// <summary>Taken by INSERT, UPDATE, DELETE and MERGE.</summary>
    RowExclusive = 3,

    /// <summary>Taken by VACUUM, ANALYZE, CREATE INDEX CONCURRENTLY and VALIDATE CONSTRAINT.</summary>
    ShareUpdateExclusive = 4,

    /// <summary>Taken by CREATE INDEX.</summary>
    Share = 5,

    /// <summary>Taken by CREATE TRIGGER and ADD FOREIGN KEY.</summary>
    ShareRowExclusive = 6,

    /// <summary>Taken by REFRESH MATERIALIZED VIEW CONCURRENTLY.</summary>
    Exclusive = 7,

    /// <summary>Taken by most forms of ALTER TABLE, DROP TABLE, TRUNCATE, REINDEX, CLUSTER and VACUUM FULL.</summary>
    AccessExclusive = 8,
}

/// <summary>What PostgreSQL's lock modes mean for other sessions.</summary>
internal static class LockModes
{
    /// <summary>One row a mode: bit n is set when the mode conflicts with mode n (table 13.2 of the documentation).</summary>
    private static readonly int[] Conflicting =
    [
        0,
        Bits(LockMode.AccessExclusive),
        Bits(LockMode.Exclusive, LockMode.AccessExclusive),
        Bits(LockMode.Share, LockMode.ShareRowExclusive, LockMode.Exclusive, LockMode.AccessExclusive),
        Bits(LockMode.ShareUpdateExclusive, LockMode.Share, LockMode.ShareRowExclusive, LockMode.Exclusive, LockMode.AccessExclusive),
        Bits(LockMode.RowExclusive, LockMode.ShareUpdateExclusive, LockMode.ShareRowExclusive, LockMode.Exclusive,
            LockMode.AccessExclusive),
        Bits(LockMode.RowExclusive, LockMode.ShareUpdateExclusive, LockMode.Share, LockMode.ShareRowExclusive, LockMode.Exclusive,
            LockMode.AccessExclusive),
        Bits(LockMode.RowShare, LockMode.RowExclusive, LockMode.ShareUpdateExclusive, LockMode.Share, LockMode.ShareRowExclusive,
            LockMode.Exclusive, LockMode.AccessExclusive),
        Bits(LockMode.AccessShare, LockMode.RowShare, LockMode.RowExclusive, LockMode.ShareUpdateExclusive, LockMode.Share,
            LockMode.ShareRowExclusive, LockMode.Exclusive, LockMode.AccessExclusive),
    ];

    /// <summary>Whether two sessions can't hold the two modes on one table at the same time.</summary>
    public static bool ConflictsWith(this LockMode mode, LockMode other) => (Conflicting[(int)mode] & (1 << (int)other)) != 0;

    /// <summary>Whether INSERT, UPDATE and DELETE wait for it.</summary>
    public static bool BlocksWrites(this LockMode mode) => mode.ConflictsWith(LockMode.RowExclusive);

    /// <summary>Whether a plain SELECT waits for it.</summary>
    public static bool BlocksReads(this LockMode mode) => mode.ConflictsWith(LockMode.AccessShare);

    /// <summary>The mode as the documentation writes it, such as <c>ACCESS EXCLUSIVE</c>.</summary>
    public static string ToSql(this LockMode mode) => mode switch
    {
        LockMode.None => "no lock",
        LockMode.AccessShare => "ACCESS SHARE",
        LockMode.RowShare => "ROW SHARE",
        LockMode.RowExclusive => "ROW EXCLUSIVE",
        LockMode.ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
        LockMode.Share => "SHARE",
        LockMode.ShareRowExclusive => "SHARE ROW EXCLUSIVE",
        LockMode.Exclusive => "EXCLUSIVE",
        _ => "ACCESS EXCLUSIVE",
    };

    /// <summary>
    /// Reads a mode as <c>pg_locks.mode</c> gives it, such as <c>AccessExclusiveLock</c>; <see cref="LockMode.None"/> for any other text.
    /// </summary>
    public static LockMode Parse(string mode) =>
        mode.EndsWith("Lock", StringComparison.Ordinal) && Enum.TryParse<LockMode>(mode[..^4], out var parsed) ? parsed : LockMode.None;

    /// <summary>Reads a mode as <see cref="ToSql"/> writes it; <see cref="LockMode.None"/> for any other text.</summary>
    public static LockMode FromSql(string mode) => Enum.GetValues<LockMode>().FirstOrDefault(candidate => candidate.ToSql() == mode);

    /// <summary>What other sessions can't do meanwhile, in the users' words.</summary>
    public static string Blocks(this LockMode mode) => mode switch
    {
        LockMode.None => "blocks nothing",
        LockMode.AccessShare => "blocks only statements that need the table for themselves, such as ALTER TABLE and DROP TABLE",
        LockMode.RowShare => "blocks only statements that need the table for themselves and REFRESH CONCURRENTLY",
        LockMode.RowExclusive => "blocks index builds and schema changes; reads and writes go on",
        LockMode.ShareUpdateExclusive => "blocks VACUUM, ANALYZE and schema changes; reads and writes go on",
        LockMode.Share or LockMode.ShareRowExclusive => "blocks INSERT, UPDATE and DELETE; reads go on",
        LockMode.Exclusive => "blocks INSERT, UPDATE, DELETE and SELECT FOR UPDATE; plain reads go on",
        _ => "blocks everything, SELECT too",
    };

    private static int Bits(params ReadOnlySpan<LockMode> modes)
    {
        var bits = 0;
        foreach (var mode in modes)
        {
            bits |= 1 << (int)mode;
        }

        return bits;
    }
}
