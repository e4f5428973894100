using System.Globalization;
using ChatGenius.Db.Text;
using Npgsql;

namespace ChatGenius.Db.Connections;

/// <summary>
/// Where a database is and how to reach it. It is read from a <c>postgres://</c> URL or a keyword=value string as libpq reads them
/// (PostgreSQL documentation, "Connection Strings", section 34.1.1), from an Npgsql connection string, or from libpq's environment
/// variables.
/// </summary>
/// <remarks>The only members that give the password away are <see cref="ConnectionString"/> and <see cref="LibpqEnvironment"/>.</remarks>
internal sealed partial class DatabaseUrl
{
    /// <summary>PostgreSQL's own port.</summary>
    public const int DefaultPort = 5432;

    /// <summary>What the server's <c>pg_stat_activity</c> shows where the user names nothing else.</summary>
    public const string DefaultApplicationName = "chatgenius-db";

    private static readonly string[] PasswordKeys = ["password", "psw", "pwd", "ssl password", "sslpassword"];

    /// <summary>Any of these says that the environment names a database; PGPASSWORD or PGSSLMODE alone does not.</summary>
    private static readonly string[] NamingVariables = ["PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGSERVICE"];

    private readonly NpgsqlConnectionStringBuilder _builder;
    private readonly (string Host, int Port)[] _servers;
    private readonly SocketPeer _peer;

    private DatabaseUrl(NpgsqlConnectionStringBuilder builder, (string Host, int Port)[] servers, SocketPeer peer)
    {
        _builder = builder;
        _servers = servers;
        _peer = peer;

        // Npgsql looks at what kind of server it has found only where there are several: a single one is then named twice.
        var named = servers.Length == 1 && builder.TargetSessionAttributes is not (null or "any") ? [servers[0], servers[0]] : servers;
        builder.Host = named.Length == 1 ? named[0].Host : string.Join(',', named.Select(HostAndPort));
        builder.Port = servers[0].Port;
        if (string.IsNullOrEmpty(builder.Username))
        {
            builder.Username = Environment.UserName;
        }

        if (string.IsNullOrEmpty(builder.Database))
        {
            builder.Database = builder.Username;
        }

        ApplyOurs(builder, servers);
    }

    /// <summary>The first server's host name, address, or socket directory (with a leading slash).</summary>
    public string Host => _servers[0].Host;

    /// <summary>The first server's port, 1 to 65535.</summary>
    public int Port => _servers[0].Port;

    /// <summary>The name of the database, as <c>pg_database</c> has it.</summary>
    public string DatabaseName => _builder.Database!;

    /// <summary>The role that connects.</summary>
    public string UserName => _builder.Username!;

    /// <summary>Gives the password of each connection; null where it comes with the connection string, from a file or from
    /// nowhere.</summary>
    internal Func<CancellationToken, ValueTask<string>>? PasswordSource { get; private init; }

    /// <summary>Opens a connection with a connection string, and with what only a data source of an application knows; null where all is
    /// in the connection string.</summary>
    internal Func<string, CancellationToken, Task<NpgsqlConnection>>? Opener { get; private init; }

    /// <summary>Whether the server is reached through a Unix-domain socket.</summary>
    public bool IsSocket => IsSocketHost(Host);

    /// <summary>The Npgsql connection string, password included: never print, log or store it.</summary>
    public string ConnectionString => _builder.ConnectionString;

    /// <summary>A URL that names role, servers, database and password file: safe to print, and psql takes it.</summary>
    public string Display
    {
        get
        {
            var user = Uri.EscapeDataString(UserName);
            var database = Uri.EscapeDataString(DatabaseName);
            var servers = IsSocket ? "" : string.Join(',',
                _servers.Select(s => s.Port == DefaultPort ? Bracketed(s.Host) : HostAndPort(s)));
            string?[] parameters =
            [
                IsSocket ? $"host={EscapePath(Host)}" : null,
                IsSocket && Port != DefaultPort ? string.Create(CultureInfo.InvariantCulture, $"port={Port}") : null,
                PasswordFile is { } file ? $"passfile={EscapePath(file)}" : null,
            ];
            var query = string.Join('&', parameters.Where(p => p is not null));
            return $"postgres://{user}@{servers}/{database}{(query.Length > 0 ? "?" : "")}{query}";
        }
    }

    /// <summary>How the session attributes that are asked for are called by libpq; <c>any</c> where nothing is.</summary>
    /// <summary>The same with the password, for the environment of a program that connects by it; never to be shown.</summary>
    public string WithSecret
    {
        get
        {
            var variables = LibpqEnvironment();
            var text = Display;
            text = variables.TryGetValue("PGPASSWORD", out var password)
                ? text.Insert(text.IndexOf('@', StringComparison.Ordinal), $":{Uri.EscapeDataString(password)}") : text;
            (string Variable, string Parameter)[] more = [("PGSSLMODE", "sslmode"), ("PGSSLROOTCERT", "sslrootcert"),
                ("PGSSLCERT", "sslcert"), ("PGSSLKEY", "sslkey"), ("PGOPTIONS", "options")];
            return more.Where(one => variables.TryGetValue(one.Variable, out var value) && value != "prefer").Aggregate(text, (url, one) =>
                $"{url}{(url.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{one.Parameter}={EscapePath(variables[one.Variable])}");
        }
    }

    /// <summary>The database as keywords for Npgsql, without the password.</summary>
    public string Keywords => new NpgsqlConnectionStringBuilder
    {
        Host = Host, Port = Port, Username = UserName, Database = DatabaseName, Passfile = PasswordFile,
    }.ConnectionString;

    internal string TargetSessionAttributes => _builder.TargetSessionAttributes ?? "any";

    /// <summary>How long a connection attempt may take; <see cref="Timeout.InfiniteTimeSpan"/> where there is no limit.</summary>
    internal TimeSpan ConnectTimeout => _builder.Timeout == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(_builder.Timeout);

    /// <summary>The password file that was named, if one was.</summary>
    internal string? PasswordFile => _builder.Passfile;

    /// <summary>Looks who is at the other end of the sockets, before each attempt to connect.</summary>
    /// <exception cref="ProblemException">CG0641: somebody else than who may be there.</exception>
    internal void RequirePeers()
    {
        foreach (var server in _servers.Where(server => server.Host.StartsWith('/')))
        {
            _peer.Require(server.Host, SocketPath(server));
        }
    }

    /// <summary>
    /// The password file that is passed over, as libpq does it: it can be read by others, or is a pipe or a device; null where it is
    /// kept well, or not needed.
    /// </summary>
    internal string? PassedOverPasswordFile
    {
        get
        {
            const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
                | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
            var file = _builder.Passfile ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".pgpass");
            return !OperatingSystem.IsWindows() && _builder.Password is null && PasswordSource is null && File.Exists(file)
                && ((File.GetUnixFileMode(file) & Others) != 0 || UnixFile.Of(file) is { IsRegular: false }) ? file : null;
        }
    }

    /// <summary>What the user should know before a connection is made; null for nothing.</summary>
    public Problem? Warning => PassedOverPasswordFile is not { } file ? null
        : UnixFile.Of(file) is { IsRegular: false }
        ? new Problem("CG0642", $"The password file {file} is not an ordinary file, so it is passed over", Advice: "Make it one.")
        : new Problem("CG0642", $"The password file {file} can be read by others, so it is passed over", Advice: $"chmod 600 {file}");

    /// <summary>How many servers are named.</summary>
    internal int ServerCount => _servers.Length;

    /// <summary>The servers, as <c>host:port</c> or the path of the socket.</summary>
    internal string ServerNames => string.Join(", ", _servers.Select(s => IsSocketHost(s.Host) ? SocketPath(s) : HostAndPort(s)));

    /// <summary>Reads a connection string.</summary>
    /// <param name="text">A <c>postgres://</c> or <c>postgresql://</c> URL, libpq's <c>host=… dbname=…</c> or Npgsql's
    /// <c>Host=…;Database=…</c>.</param>
    /// <param name="label">Where it came from, for complaints: <c>--database</c>, <c>DATABASE_URL</c>, …</param>
    /// <param name="environment">Gives libpq's environment variables, which stand in for what the string leaves out; the process's own
    /// where null.</param>
    /// <exception cref="ProblemException">
    /// CG0601: it can't be read; CG0602: an unknown parameter; CG0603: a value that a parameter can't have; CG0604: a parameter that can't
    /// be kept.
    /// </exception>
    public static DatabaseUrl Parse(string text, string label = "--database", Func<string, string?>? environment = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        environment ??= Environment.GetEnvironmentVariable;
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw new ProblemException("CG0601", $"What {label} has holds a null character, which no connection string can have",
                advice: "Write it again, without what is invisible in it.");
        }

        var source = new ConnectionText(label, text.Trim());
        if (ConnectionUrl.IsUrl(source.Text))
        {
            return FromParameters(ConnectionUrl.ParseUrl(source), environment);
        }

        return ConnectionUrl.IsKeywordValue(source.Text)
            ? FromParameters(ConnectionUrl.ParseKeywordValue(source), environment)
            : FromNpgsql(source, environment);
    }

    /// <summary>Reads libpq's environment variables (PostgreSQL documentation, section 34.15).</summary>
    /// <returns>Null where none of PGHOST, PGHOSTADDR, PGPORT, PGDATABASE and PGSERVICE is set.</returns>
    /// <exception cref="ProblemException">CG0603, CG0604: as for <see cref="Parse"/>.</exception>
    public static DatabaseUrl? FromEnvironment(Func<string, string?>? environment = null)
    {
        environment ??= Environment.GetEnvironmentVariable;
        return Array.Exists(NamingVariables, variable => !string.IsNullOrEmpty(environment(variable))) ? FromParameters([], environment)
            : null;
    }

    /// <summary>Takes the database of an application's data source, with its password, its certificates and whatever else it
    /// gives.</summary>
    internal static DatabaseUrl Of(NpgsqlDataSource source)
    {
        // Npgsql reads no PGDATABASE.
        var url = FromNpgsql(new ConnectionText("data source", source.ConnectionString),
            name => name == "PGDATABASE" ? null : Environment.GetEnvironmentVariable(name));
        return new DatabaseUrl(url._builder, url._servers, url._peer) { Opener = OpenAsync };

        async Task<NpgsqlConnection> OpenAsync(string text, CancellationToken cancellationToken)
        {
            await using var given = source.CreateConnection();
            var connection = await given.CloneWithAsync(text, cancellationToken);
            try
            {
                await connection.OpenAsync(cancellationToken);
                return connection;
            }
            catch
            {
                await connection.DisposeAsync();
                throw;
            }
        }
    }

    /// <summary>Names a database by its parts; no environment variable has a say in it.</summary>
    /// <param name="host">A host name, an address, or the directory of a Unix-domain socket.</param>
    /// <param name="port">1 to 65535.</param>
    /// <param name="user">The role.</param>
    /// <param name="database">The database.</param>
    /// <param name="password">The role's password, if it has one.</param>
    /// <param name="passwordFile">A file in the form of libpq's password file (section 34.16) that holds it instead.</param>
    public static DatabaseUrl Of(string host, int port, string user, string database, string? password = null,
        string? passwordFile = null) =>
        new(new NpgsqlConnectionStringBuilder { Username = user, Database = database, Password = password, Passfile = passwordFile },
            [(host, port)], new SocketPeer(null, IsChosen: false));

    /// <summary>The same servers, role and parameters with another database; any name that PostgreSQL can hold will do.</summary>
    public DatabaseUrl WithDatabase(string name) =>
        new(new NpgsqlConnectionStringBuilder(_builder.ConnectionString) { Database = name }, _servers, _peer)
        {
            PasswordSource = PasswordSource,
            Opener = Opener,
        };

    /// <summary>The same role, database and parameters on other servers, such as a standby.</summary>
    /// <param name="servers"><c>host:port</c>, or a connection string, of which nothing else counts.</param>
    /// <exception cref="ProblemException">As for <see cref="Parse"/>.</exception>
    internal DatabaseUrl AtServers(string servers)
    {
        var isBare = !ConnectionUrl.IsUrl(servers) && !servers.Contains('=', StringComparison.Ordinal);
        var other = Parse(isBare ? "postgres://" + servers : servers, "standbys", _ => null);
        return new(new NpgsqlConnectionStringBuilder(_builder.ConnectionString) { TargetSessionAttributes = null }, other._servers,
            other._peer)
        {
            PasswordSource = PasswordSource,
            Opener = Opener,
        };
    }

    /// <summary>The same, with passwords from a source that is asked for one at each connection: a token's life may be short.</summary>
    /// <param name="source">Gives the password; not asked where the connection string has one.</param>
    public DatabaseUrl WithPasswordSource(Func<CancellationToken, ValueTask<string>> source) =>
        new(new NpgsqlConnectionStringBuilder(_builder.ConnectionString), _servers, _peer) { PasswordSource = _builder.Password is null
            ? source : null };

    /// <summary>
    /// The same as environment variables of libpq, for PostgreSQL's own programs; password included: for a child's environment alone.
    /// </summary>
    /// <exception cref="ProblemException">CG1306: the client key has a password, for which libpq has no variable.</exception>
    public IReadOnlyDictionary<string, string> LibpqEnvironment() => Connections.LibpqEnvironment.Of(_builder, _servers, _peer.Required);

    /// <summary>The same as <see cref="Display"/>.</summary>
    public override string ToString() => Display;

    /// <summary>As libpq: the socket directory it was built with, which differs between distributions; where there are no sockets,
    /// localhost.</summary>
    private static string DefaultHost(int port) => OperatingSystem.IsWindows()
        ? "localhost"
        : SocketPeer.ChooseFolder(folder => File.Exists(SocketPath((folder, port))), folder =>
            SocketPeer.IsTrusted(SocketPath((folder, port))));

    private static string EscapePath(string path) => Uri.EscapeDataString(path).Replace("%2F", "/", StringComparison.Ordinal);

    private static bool IsSocketHost(string host) => host.StartsWith('/') || host.StartsWith('@');

    private static string SocketPath((string Host, int Port) server) =>
        string.Create(CultureInfo.InvariantCulture, $"{server.Host}/.s.PGSQL.{server.Port}");

    private static string HostAndPort((string Host, int Port) server) =>
        string.Create(CultureInfo.InvariantCulture, $"{Bracketed(server.Host)}:{server.Port}");

    private static string Bracketed(string host) => host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
}
