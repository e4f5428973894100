using System.Globalization;
using Npgsql;

namespace ChatGenius.Db.Connections;

/// <summary>
/// Where a database is and how to reach it. It is read from a <c>postgres://</c> URL or a keyword=value string as libpq reads them
/// (PostgreSQL documentation, "Connection Strings", section 34.1.1), from an Npgsql connection string, or from libpq's environment
/// variables.
/// </summary>
/// <remarks>The only members that give the password away are <see cref="ConnectionString"/> and <see cref="LibpqEnvironment"/>.</remarks>
public sealed class DatabaseUrl
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
    /// The password file that holds passwords for everybody on the machine to read, and is passed over for that, as libpq does it; null
    /// where it is kept well, or not needed.
    /// </summary>
    internal string? OpenPasswordFile
    {
        get
        {
            const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
                | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
            var file = _builder.Passfile ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".pgpass");
            return !OperatingSystem.IsWindows() && _builder.Password is null && PasswordSource is null && File.Exists(file)
                && (File.GetUnixFileMode(file) & Others) != 0 ? file : null;
        }
    }

    /// <summary>What the user should know before a connection is made; null for nothing.</summary>
    public Problem? Warning => OpenPasswordFile is { } file
        ? new Problem("CG0642", $"The password file {file} can be read by others, so it is passed over", Advice: $"chmod 600 {file}")
        : null;

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
        new(new NpgsqlConnectionStringBuilder(_builder.ConnectionString) { Database = name }, _servers,
        _peer) { PasswordSource = PasswordSource };

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

    private static DatabaseUrl FromParameters(List<ConnectionParameter> parameters, Func<string, string?> environment)
    {
        var builder = new NpgsqlConnectionStringBuilder();
        ConnectionParameter? hosts = null;
        ConnectionParameter? ports = null;
        string? peer = null;
        var given = parameters.Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
        var own = ConnectionParameters.FromEnvironment(environment, given.Contains).ToList();
        if (parameters.Concat(own).LastOrDefault(p => p.Name == "service") is { Name: not null } service)
        {
            // What a service says comes before the environment, and after what the string itself says.
            var file = parameters.FindLast(p => p.Name == "servicefile").Value;
            var served = ServiceFile.Read(service, file, environment).FindAll(p => !given.Contains(p.Name));
            own.RemoveAll(p => served.Exists(s => s.Name == p.Name));
            parameters.AddRange(served);
        }

        parameters.AddRange(own);
        foreach (var parameter in parameters.OrderBy(p => p.Name == "fallback_application_name"))
        {
            switch (parameter.Name)
            {
                case "host":
                    hosts = parameter;
                    break;
                case "port":
                    ports = parameter;
                    break;
                case "requirepeer":
                    peer = parameter.Value;
                    break;
                case "service" or "servicefile":
                    break;
                default:
                    ConnectionParameters.Set(builder, parameter);
                    break;
            }
        }

        Verify(builder, parameters, environment);
        return new DatabaseUrl(builder, Servers(hosts, ports), new SocketPeer(peer, hosts is null));
    }

    /// <summary>
    /// With a root certificate libpq's <c>require</c> checks the server's certificate against it, as <c>verify-ca</c> does (section
    /// 34.19.4), also where it lies in the home directory; <c>sslrootcert=system</c> means the system's authorities and <c>verify-full</c>.
    /// </summary>
    private static void Verify(NpgsqlConnectionStringBuilder builder, List<ConnectionParameter> parameters, Func<string,
        string?> environment)
    {
        if (builder.RootCertificate == "system")
        {
            if (builder.SslMode != SslMode.VerifyFull && parameters.Exists(p => p.Name == "sslmode"))
            {
                throw ConnectionParameters.BadValue(parameters.Last(p => p.Name == "sslmode"),
                    "verify-full alone where sslrootcert is system");
            }

            builder.RootCertificate = null;
            builder.SslMode = SslMode.VerifyFull;
        }
        else if (builder.SslMode == SslMode.Require)
        {
            builder.RootCertificate ??= UsualRootCertificate(environment);
            builder.SslMode = builder.RootCertificate is null ? SslMode.Require : SslMode.VerifyCA;
        }

        RequireScram(builder, parameters);
    }

    /// <summary>
    /// Only SCRAM binds the connection's channel: with <c>channel_binding=require</c> no server may ask for another method, or for none.
    /// libpq ends the connection then; Npgsql does so where it is told which methods are allowed.
    /// </summary>
    private static void RequireScram(NpgsqlConnectionStringBuilder builder, List<ConnectionParameter> parameters)
    {
        const string Scram = "ScramSHA256";
        if (builder.ChannelBinding != ChannelBinding.Require)
        {
            return;
        }

        var methods = builder.RequireAuth?.Split(',', StringSplitOptions.TrimEntries) ?? [Scram];
        var isAllowed = methods.All(method => method.StartsWith('!'))
            ? !methods.Contains("!" + Scram, StringComparer.OrdinalIgnoreCase)
            : methods.Contains(Scram, StringComparer.OrdinalIgnoreCase);
        if (!isAllowed && parameters.Find(p => p.Name == "require_auth") is { Name: not null } named)
        {
            throw ConnectionParameters.BadValue(named,
                "scram-sha-256 where channel_binding is require, because no other method binds the channel");
        }

        builder.RequireAuth = Scram;
    }

    private static string? UsualRootCertificate(Func<string, string?> environment)
    {
        var (home, folder) = OperatingSystem.IsWindows() ? (environment("APPDATA"), "postgresql") : (environment("HOME"), ".postgresql");
        return home is { Length: > 0 } && Path.Combine(home, folder, "root.crt") is var file && File.Exists(file) ? file : null;
    }

    private static (string Host, int Port)[] Servers(ConnectionParameter? hosts, ConnectionParameter? ports)
    {
        var hostNames = hosts?.Value.Split(',') ?? [""];
        var portNumbers = ports?.Value.Split(',') ?? [""];
        if (portNumbers.Length != 1 && portNumbers.Length != hostNames.Length)
        {
            throw ConnectionParameters.BadValue(ports!.Value, $"one port, or as many as there are hosts ({hostNames.Length})");
        }

        var servers = new (string Host, int Port)[hostNames.Length];
        for (var i = 0; i < servers.Length; i++)
        {
            var number = portNumbers[portNumbers.Length == 1 ? 0 : i];
            var port = number.Length == 0 ? DefaultPort : ConnectionParameters.Number(ports!.Value with { Value = number }, 1, 65535);
            servers[i] = (hostNames[i].Length == 0 ? DefaultHost(port) : hostNames[i], port);
        }

        return servers;
    }

    private static DatabaseUrl FromNpgsql(ConnectionText source, Func<string, string?> environment)
    {
        HidePasswords(source);
        if (source.Text.Length == 0)
        {
            throw Unreadable(source, 0, 0);
        }

        NpgsqlConnectionStringBuilder builder;
        try
        {
            builder = new NpgsqlConnectionStringBuilder(source.Text);
        }
        catch (Exception e) when (
            e is ArgumentException or FormatException or InvalidCastException or NotSupportedException or OverflowException)
        {
            var keyword = (e as ArgumentException)?.ParamName ?? "";
            var at = keyword.Length == 0 ? -1 : source.Text.IndexOf(keyword, StringComparison.OrdinalIgnoreCase);
            throw at < 0 ? Unreadable(source, 0, source.Text.Length, e) : Unreadable(source, at, keyword.Length, e);
        }

        var explicitHost = builder.Host;
        string? peer = null;
        foreach (var parameter in ConnectionParameters.FromEnvironment(environment, name => IsGiven(builder, name)))
        {
            if (parameter.Name == "requirepeer")
            {
                peer = parameter.Value;
            }
            else if (
                parameter.Name is "user" or "password" or "dbname" or "sslmode" or "sslrootcert" or "sslcert" or "sslkey" or "passfile")
            {
                ConnectionParameters.Set(builder, parameter);
            }
        }

        var whole = new ConnectionParameter("Host", "", source, 0, source.Text.Length);
        var servers = (explicitHost ?? "").Split(',').Select(h => SplitHost(h, builder.Port, whole)).ToArray();
        Verify(builder, [], environment);
        return new DatabaseUrl(builder, servers, new SocketPeer(peer, string.IsNullOrEmpty(explicitHost)));
    }

    private static ProblemException Unreadable(ConnectionText source, int start, int length, Exception? e = null) => new(
        new Problem("CG0601", "This is neither a postgres:// URL nor a connection string", source.At(start, length),
            "Write postgres://user@host:5432/database, or Host=…;Username=…;Database=…."),
        e);

    private static bool IsGiven(NpgsqlConnectionStringBuilder builder, string parameter) => parameter switch
    {
        "user" => !string.IsNullOrEmpty(builder.Username),
        "password" => builder.Password is not null,
        "dbname" => !string.IsNullOrEmpty(builder.Database),
        "sslmode" => builder.ShouldSerialize("SSL Mode"),
        "sslrootcert" => builder.RootCertificate is not null,
        "sslcert" => builder.SslCertificate is not null,
        "sslkey" => builder.SslKey is not null,
        "passfile" => builder.Passfile is not null,
        _ => true,
    };

    private static (string Host, int Port) SplitHost(string text, int port, ConnectionParameter whole)
    {
        var colon = text.LastIndexOf(':');
        var isAddress = colon > 0 && text.IndexOf(':', StringComparison.Ordinal) < colon && text[colon - 1] != ']';
        if (colon < 0 || isAddress || IsSocketHost(text))
        {
            return (text.Length == 0 ? DefaultHost(port) : text.Trim('[', ']'), port);
        }

        return (text[..colon].Trim('[', ']'), ConnectionParameters.Number(whole with { Name = "Port", Value = text[(colon + 1)..] }, 1,
            65535));
    }

    /// <summary>A value in quotes may hold semicolons; what is not well formed is hidden to the end.</summary>
    private static void HidePasswords(ConnectionText source)
    {
        var text = source.Text;
        for (int at = 0, end; at < text.Length; at = end + 1)
        {
            var equals = text.IndexOf('=', at);
            var value = equals < 0 ? text.Length : equals + 1;
            while (value < text.Length && text[value] == ' ')
            {
                value++;
            }

            var quote = value < text.Length && text[value] is '"' or '\'' ? text.IndexOf(text[value], value + 1) : value;
            end = quote < 0 ? text.Length : text.IndexOf(';', Math.Min(quote, text.Length));
            end = end < 0 ? text.Length : end;
            if (equals >= 0 && PasswordKeys.Contains(text[at..equals].Trim(), StringComparer.OrdinalIgnoreCase))
            {
                source.Hide(value, end);
            }
        }
    }

    /// <summary>What the tool's work needs, whatever the string says.</summary>
    private static void ApplyOurs(NpgsqlConnectionStringBuilder builder, (string Host, int Port)[] servers)
    {
        builder.ApplicationName ??= DefaultApplicationName;

        // A run opens its one or two connections itself and closes them; a pool would keep sessions, and their locks, alive.
        builder.Pooling = false;
        builder.Multiplexing = false;
        builder.NoResetOnClose = true;
        builder.Enlist = false;

        // Each attempt asks every server again: one that was down a moment ago is what a waiting caller waits for.
        builder.HostRecheckSeconds = 0;

        // The statement that failed in a batch, and the row that a constraint refused, belong in the complaint.
        builder.IncludeFailedBatchedCommand = true;
        builder.IncludeErrorDetail = true;

        // A migration takes as long as it takes; lock_timeout and statement_timeout are the server's to keep.
        builder.CommandTimeout = 0;

        builder.ClientEncoding = "UTF8";
        if (!builder.ShouldSerialize("GSS Encryption Mode"))
        {
            builder.GssEncryptionMode = GssEncryptionMode.Disable;
        }

        if (servers.Any(server => IsSocketHost(server.Host)))
        {
            // A Unix-domain socket has no keepalives: Npgsql fails to set them, where libpq passes over them.
            foreach (var keyword in new[] { "TCP Keepalive", "TCP Keepalive Time", "TCP Keepalive Interval" })
            {
                builder.Remove(keyword);
            }
        }
        else if (!builder.ShouldSerialize("TCP Keepalive") && !builder.ShouldSerialize("TCP Keepalive Time"))
        {
            // A statement that runs for hours sends nothing: without keepalives a firewall forgets the connection.
            builder.TcpKeepAlive = true;
            builder.TcpKeepAliveTime = 60;
            builder.TcpKeepAliveInterval = 15;
        }
    }

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
