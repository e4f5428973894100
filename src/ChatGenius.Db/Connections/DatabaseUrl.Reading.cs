using System.Globalization;
using Npgsql;

namespace ChatGenius.Db.Connections;

internal sealed partial class DatabaseUrl
{
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
                // dbmate's word for the folder of a socket.
                case "host" or "socket":
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
}
