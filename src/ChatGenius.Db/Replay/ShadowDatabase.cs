using System.Globalization;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;
using Npgsql;
namespace ChatGenius.Db.Replay;

/// <summary>A throw-away database: made empty on a server, dropped at the end with the roles that migrations made there meanwhile.</summary>
public sealed class ShadowDatabase : IAsyncDisposable
{
    private const string Prefix = "chatgenius_check_";
    private readonly Database _server;
    private readonly HashSet<string> _roles;

    private ShadowDatabase(DatabaseUrl server, string name, HashSet<string> roles)
    {
        _server = new Database(server);
        _roles = roles;
        Database = new Database(server.WithDatabase(name));
        Name = name;
    }

    /// <summary>The database.</summary>
    public Database Database { get; }

    private string Name { get; }

    /// <summary>Makes one, and drops what runs that were killed left behind more than a day ago.</summary>
    /// <param name="server">A database on the server; only its server and role matter.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ProblemException">CG06xx: no connection; CG1202: the role may not create databases.</exception>
    public static async Task<ShadowDatabase> CreateAsync(DatabaseUrl server, CancellationToken cancellationToken = default)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}_{Guid.NewGuid():N}");
        await using var connection = await new Database(server).ConnectAsync(cancellationToken);
        await DropLeftOversAsync(connection, cancellationToken);
        var roles = await NamesAsync(connection, "SELECT rolname::text FROM pg_roles", cancellationToken);
        try
        {
            var strategy = connection.PostgreSqlVersion.Major >= 15 ? " STRATEGY FILE_COPY" : "";
            await RunAsync(connection, $"CREATE DATABASE {name} TEMPLATE template0{strategy}", cancellationToken);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new ProblemException(
                "CG1202", $"The role {connection.UserName} may not create a throw-away database: {e.MessageText}",
                advice: "Give it CREATEDB, or name another server with --shadow.", cause: e);
        }

        return new ShadowDatabase(server, name, [.. roles]);
    }

    /// <summary>Drops the database, even while others are connected, and roles that are new on the server and own nothing else.</summary>
    public async ValueTask DisposeAsync()
    {
        await using var connection = await _server.ConnectAsync();
        await RunAsync(connection, $"DROP DATABASE IF EXISTS {Name} WITH (FORCE)", default);
        foreach (var role in (await NamesAsync(connection, "SELECT rolname::text FROM pg_roles", default)).Where(role => !_roles.Contains(role)))
        {
            try
            {
                await RunAsync(connection, $"DROP ROLE IF EXISTS {SqlIdentifier.Quote(role)}", default);
            }
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DependentObjectsStillExist or PostgresErrorCodes.InsufficientPrivilege)
            {
                // Somebody else made it in the meantime and uses it in another database: it is not ours to drop.
            }
        }
    }

    private static async Task DropLeftOversAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var yesterday = DateTimeOffset.UtcNow.AddDays(-1).ToUnixTimeSeconds();
        foreach (var name in await NamesAsync(connection, $"SELECT datname::text FROM pg_database WHERE datname ~ '^{Prefix}[0-9]+_[0-9a-f]+$'", cancellationToken))
        {
            if (long.Parse(name[Prefix.Length..].Split('_')[0], CultureInfo.InvariantCulture) < yesterday)
            {
                await RunAsync(connection, $"DROP DATABASE IF EXISTS {name} WITH (FORCE)", cancellationToken);
            }
        }
    }

    private static async Task<List<string>> NamesAsync(NpgsqlConnection connection, string query, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        await using var command = new NpgsqlCommand(query, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            names.Add(reader.GetString(0));
        }

        return names;
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
