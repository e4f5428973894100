namespace ChatGenius.Tests.Support;

/// <summary>PostgreSQL's own psql: the oracle for what a file of SQL means.</summary>
internal static class Psql
{
    private static readonly Lazy<string> Executable = new(() => Find("psql"));

    /// <summary>Runs a file, stopping at its first error; nobody's <c>.psqlrc</c> is read.</summary>
    public static Task<ToolResult> RunAsync(TestDatabase database, string file) => RunAsync(database, ["-f", file]);

    /// <summary>Runs psql with arguments of the caller's.</summary>
    public static async Task<ToolResult> RunAsync(TestDatabase database, string[] arguments, string? input = null)
    {
        var password = new NpgsqlConnectionStringBuilder(database.Url.ConnectionString).Password;
        await using var psql = ToolProcess.StartProcess(
            Executable.Value,
            ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database.Url.Display, .. arguments],
            workingDirectory: null,
            new Dictionary<string, string?> { ["PGPASSWORD"] = password, ["PGCLIENTENCODING"] = "UTF8" },
            input);
        return await psql.ExitAsync();
    }

    /// <summary>Finds a client program. Debian's psql on PATH is a wrapper; the program itself lies beside the server's.</summary>
    internal static string Find(string program)
    {
        var debian = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(d => d, StringComparer.Ordinal)
                .Select(d => Path.Combine(d, "bin"))
            : [];
        var folders = debian.Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator));
        var name = OperatingSystem.IsWindows() ? $"{program}.exe" : program;
        return folders.Select(f => Path.Combine(f, name)).FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException(
                $"These tests need {program} on PATH (Debian: apt install postgresql-client; macOS: brew install libpq).");
    }
}
