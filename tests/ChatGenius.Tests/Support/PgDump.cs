namespace ChatGenius.Tests.Support;

/// <summary>PostgreSQL's own pg_dump: the whole database as a text that compares.</summary>
internal static class PgDump
{
    /// <summary>Dumps the catalog and the rows.</summary>
    public static async Task<ToolResult> RunAsync(TestDatabase database)
    {
        var password = new NpgsqlConnectionStringBuilder(database.Url.ConnectionString).Password;
        await using var dump = ToolProcess.StartProcess(
            Psql.Find("pg_dump"),
            ["-d", database.Url.Display],
            workingDirectory: null,
            new Dictionary<string, string?> { ["PGPASSWORD"] = password, ["PGCLIENTENCODING"] = "UTF8" },
            input: null);
        return await dump.ExitAsync();
    }
}
