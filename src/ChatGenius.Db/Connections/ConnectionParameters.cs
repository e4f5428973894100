using ChatGenius.Db.Text;
using System.Globalization;
using Npgsql;

namespace ChatGenius.Db.Connections;

/// <summary>
/// Translates libpq's connection parameters (PostgreSQL documentation, "Parameter Key Words", section 34.1.2) into Npgsql's. What
/// Npgsql can't do is a complaint, never passed over in silence: a connection that is less safe than the one asked for is no connection.
/// </summary>
internal static class ConnectionParameters
{
    /// <summary>libpq's environment variables (section 34.15) stand in for parameters that are not given.</summary>
    private static readonly (string Variable, string Parameter)[] Variables =
    [
        ("PGHOST", "host"), ("PGHOSTADDR", "hostaddr"), ("PGPORT", "port"), ("PGDATABASE", "dbname"), ("PGUSER", "user"),
        ("PGPASSWORD", "password"), ("PGPASSFILE", "passfile"), ("PGSERVICE", "service"), ("PGSERVICEFILE", "servicefile"),
        ("PGOPTIONS", "options"),
        ("PGAPPNAME", "application_name"), ("PGSSLMODE", "sslmode"), ("PGREQUIRESSL", "requiressl"), ("PGSSLNEGOTIATION", "sslnegotiation"),
        ("PGSSLCERT", "sslcert"), ("PGSSLKEY", "sslkey"), ("PGSSLROOTCERT", "sslrootcert"), ("PGCHANNELBINDING", "channel_binding"),
        ("PGREQUIREAUTH", "require_auth"), ("PGREQUIREPEER", "requirepeer"), ("PGGSSENCMODE", "gssencmode"), ("PGKRBSRVNAME", "krbsrvname"),
        ("PGCONNECT_TIMEOUT", "connect_timeout"), ("PGTARGETSESSIONATTRS", "target_session_attrs"),
        ("PGLOADBALANCEHOSTS", "load_balance_hosts"),
    ];

    private static readonly Dictionary<string, SslMode> SslModes = new(StringComparer.Ordinal)
    {
        ["disable"] = SslMode.Disable, ["allow"] = SslMode.Allow, ["prefer"] = SslMode.Prefer, ["require"] = SslMode.Require,
        ["verify-ca"] = SslMode.VerifyCA, ["verify-full"] = SslMode.VerifyFull,
    };

    private static readonly Dictionary<string, SslMode> JdbcSsl =
        new(StringComparer.Ordinal) { ["true"] = SslMode.Require, ["false"] = SslMode.Prefer };

    private static readonly Dictionary<string, SslNegotiation> SslNegotiations = new(StringComparer.Ordinal)
    {
        ["postgres"] = SslNegotiation.Postgres, ["direct"] = SslNegotiation.Direct,
    };

    private static readonly Dictionary<string, ChannelBinding> ChannelBindings = new(StringComparer.Ordinal)
    {
        ["disable"] = ChannelBinding.Disable, ["prefer"] = ChannelBinding.Prefer, ["require"] = ChannelBinding.Require,
    };

    private static readonly Dictionary<string, GssEncryptionMode> GssModes = new(StringComparer.Ordinal)
    {
        ["disable"] = GssEncryptionMode.Disable, ["prefer"] = GssEncryptionMode.Prefer, ["require"] = GssEncryptionMode.Require,
    };

    private static readonly Dictionary<string, string> SessionAttributes = new(StringComparer.Ordinal)
    {
        ["any"] = "any", ["read-write"] = "read-write", ["read-only"] = "read-only", ["primary"] = "primary", ["standby"] = "standby",
        ["prefer-standby"] = "prefer-standby",
    };

    private static readonly Dictionary<string, bool> LoadBalancing = new(StringComparer.Ordinal) { ["disable"] = false, ["random"] = true };

    private static readonly Dictionary<string, Action<NpgsqlConnectionStringBuilder, ConnectionParameter>> Translations =
        new(StringComparer.Ordinal)
    {
        ["user"] = (b, p) => b.Username = p.Value,
        ["password"] = (b, p) => b.Password = p.Value,
        ["dbname"] = (b, p) => b.Database = p.Value,
        ["passfile"] = (b, p) => b.Passfile = p.Value,
        ["application_name"] = (b, p) => b.ApplicationName = p.Value,
        ["fallback_application_name"] = (b, p) => b.ApplicationName ??= p.Value,
        ["options"] = (b, p) => b.Options = p.Value,
        ["search_path"] = (b, p) => b.SearchPath = p.Value,
        ["timezone"] = (b, p) => b.Timezone = p.Value,
        ["client_encoding"] = (_, p) => ExpectUtf8(p),
        ["connect_timeout"] = (b, p) => b.Timeout = Number(p, 0, 1024),
        ["sslmode"] = (b, p) => b.SslMode = Choice(p, SslModes),
        ["requiressl"] = (b, p) => b.SslMode = p.Value == "1" ? SslMode.Require : SslMode.Prefer,
        ["ssl"] = (b, p) => b.SslMode = Choice(p, JdbcSsl),
        ["sslnegotiation"] = (b, p) => b.SslNegotiation = Choice(p, SslNegotiations),
        ["sslcert"] = (b, p) => b.SslCertificate = p.Value,
        ["sslkey"] = (b, p) => b.SslKey = p.Value,
        ["sslpassword"] = (b, p) => b.SslPassword = p.Value,
        ["sslrootcert"] = (b, p) => b.RootCertificate = p.Value,
        ["channel_binding"] = (b, p) => b.ChannelBinding = Choice(p, ChannelBindings),
        ["require_auth"] = RequireAuth,
        ["gssencmode"] = (b, p) => b.GssEncryptionMode = Choice(p, GssModes),
        ["krbsrvname"] = (b, p) => b.KerberosServiceName = p.Value,
        ["target_session_attrs"] = (b, p) => b.TargetSessionAttributes = Choice(p, SessionAttributes),
        ["load_balance_hosts"] = (b, p) => b.LoadBalanceHosts = Choice(p, LoadBalancing),
        ["keepalives"] = (b, p) => b.TcpKeepAlive = Number(p, 0, 1) == 1,
        ["keepalives_idle"] = (b, p) => b.TcpKeepAliveTime = Number(p, 0, int.MaxValue),
        ["keepalives_interval"] = (b, p) => b.TcpKeepAliveInterval = Number(p, 0, int.MaxValue),
    };

    /// <summary>Parameters that libpq, or another tool's URLs, have and that can't be kept here, each with what to do.</summary>
    private static readonly Dictionary<string, string> Unsupported = new(StringComparer.Ordinal)
    {
        ["hostaddr"] = "Give the address as the host; with sslmode=verify-full the host has to be the name in the certificate.",
        ["replication"] = "Migrations run on an ordinary connection: leave it out.",
        ["sslcrl"] = "Leave it out.",
        ["sslcrldir"] = "Leave it out.",
        ["ssl_min_protocol_version"] = "Set the least TLS version on the server (ssl_min_protocol_version).",
        ["ssl_max_protocol_version"] = "Leave it out.",
        ["keepalives_count"] = "Leave it out; keepalives_idle and keepalives_interval are kept.",
        ["tcp_user_timeout"] = "Leave it out; connect_timeout and keepalives_idle are kept.",
        ["schema"] = "PostgreSQL's own parameter is search_path.",
        ["currentschema"] = "PostgreSQL's own parameter is search_path.",
        ["pgbouncer"] = "Leave it out: nothing here needs it.",
        ["connection_limit"] = "Leave it out: at most two connections are opened.",
    };

    public static bool IsKnown(string name) => name is "host" or "socket" or "port" or "requirepeer" or "service" or "servicefile"
        || Translations.ContainsKey(name) || Unsupported.ContainsKey(name);

    /// <summary>The parameters that the environment gives and the string does not.</summary>
    public static IEnumerable<ConnectionParameter> FromEnvironment(Func<string, string?> environment, Func<string, bool> isGiven)
    {
        foreach (var (variable, parameter) in Variables)
        {
            if (environment(variable) is { Length: > 0 } value && !isGiven(parameter))
            {
                var source = new ConnectionText(variable, value);
                if (parameter == "password")
                {
                    source.Hide(0, value.Length);
                }

                yield return new ConnectionParameter(parameter, value, source, 0, value.Length);
            }
        }
    }

    /// <summary>Sets one parameter, hosts and ports aside.</summary>
    /// <exception cref="ProblemException">CG0602: unknown; CG0603: a value that it can't have; CG0604: can't be kept here.</exception>
    public static void Set(NpgsqlConnectionStringBuilder builder, ConnectionParameter parameter)
    {
        var name = parameter.Name.Equals("TimeZone", StringComparison.OrdinalIgnoreCase) ? "timezone" : parameter.Name;
        if (Unsupported.TryGetValue(name.ToLowerInvariant(), out var way))
        {
            throw new ProblemException("CG0604", $"The connection parameter {name} is not supported", parameter.Where, way);
        }

        if (!Translations.TryGetValue(name, out var set))
        {
            throw new ProblemException("CG0602", $"PostgreSQL has no connection parameter \"{name}\"", parameter.Where, Suggest(name));
        }

        set(builder, parameter);
    }

    /// <exception cref="ProblemException">CG0603: the value is no whole number or out of range.</exception>
    public static int Number(ConnectionParameter parameter, int least, int most)
    {
        if (int.TryParse(parameter.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least
            && number <= most)
        {
            return number;
        }

        throw BadValue(parameter, most == int.MaxValue ? $"a whole number from {least} up" : $"a whole number from {least} to {most}");
    }

    public static ProblemException BadValue(ConnectionParameter parameter, string expected) =>
        new(new Problem("CG0603", $"\"{parameter.Value}\" is not a value of the connection parameter {parameter.Name}", parameter.Where,
            $"It takes {expected}."));

    /// <summary>Npgsql spells one of libpq's methods in another way.</summary>
    private static void RequireAuth(NpgsqlConnectionStringBuilder builder, ConnectionParameter parameter)
    {
        try
        {
            builder.RequireAuth = parameter.Value.Replace("scram-sha-256", "ScramSHA256", StringComparison.Ordinal);
        }
        catch (ArgumentException)
        {
            throw BadValue(parameter,
                "password, md5, gss, sspi, scram-sha-256 and none, several with commas between them, or each with ! before it");
        }
    }

    private static T Choice<T>(ConnectionParameter parameter, Dictionary<string, T> choices) =>
        choices.TryGetValue(parameter.Value, out var choice) ? choice : throw BadValue(parameter, string.Join(", ", choices.Keys));

    /// <summary>Migration files are UTF-8 and so is what is read back; the server converts where the database's encoding is
    /// another.</summary>
    private static void ExpectUtf8(ConnectionParameter parameter)
    {
        if (parameter.Value.ToUpperInvariant() is not ("UTF8" or "UTF-8" or "UNICODE" or "AUTO"))
        {
            throw BadValue(parameter, "UTF8 alone, because migration files are UTF-8");
        }
    }

    private static string Suggest(string name) =>
        Nearest.To(name, Translations.Keys.Append("host").Append("port")) is { } nearest
            ? $"Did you mean {nearest}?"
            : "Server settings go into options: options=-c%20name=value.";
}
