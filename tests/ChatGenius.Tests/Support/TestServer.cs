using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Tests.Support;

/// <summary>
/// The real PostgreSQL that all tests of a run share. <c>CHATGENIUS_TEST_DATABASE</c> names it: a URL whose role may create databases.
/// A server that can't be had fails the tests; nothing is skipped in silence.
/// </summary>
internal static class TestServer
{
    /// <summary>The variable that chooses the server.</summary>
    public const string Variable = "CHATGENIUS_TEST_DATABASE";

    private static readonly Lazy<Task<DatabaseUrl>> Started = new(StartAsync);

    /// <summary>The server's maintenance database, with a role that may do everything.</summary>
    public static Task<DatabaseUrl> UrlAsync() => Started.Value;

    private static async Task<DatabaseUrl> StartAsync()
    {
        var chosen = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(chosen))
        {
            throw new InvalidOperationException($"Set {Variable} to the URL of a PostgreSQL server whose role may create databases.");
        }

        var url = DatabaseUrl.Parse(chosen, Variable);
        await TestDatabase.DropLeftOversAsync(url);
        return url;
    }
}
