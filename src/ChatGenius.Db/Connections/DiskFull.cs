using Npgsql;

namespace ChatGenius.Db.Connections;

/// <summary>A server's disk without room; the server says the same of a quota that is used up. PostgreSQL: Monitoring Disk Usage, Disk Full
/// Failure.</summary>
internal static class DiskFull
{
    /// <summary>What to do.</summary>
    internal const string Advice =
        "Make room on the server's disk: SHOW data_directory says where the data is; a tablespace and pg_wal may lie elsewhere.";

    /// <summary>Whether that is what an error means.</summary>
    internal static bool Is(Exception error) => error is PostgresException { SqlState: PostgresErrorCodes.DiskFull };
}
