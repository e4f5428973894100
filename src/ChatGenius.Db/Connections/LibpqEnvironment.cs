using System.Globalization;
using Npgsql;

namespace ChatGenius.Db.Connections;

/// <summary>
/// Writes a connection's parameters as libpq's environment variables (PostgreSQL documentation, section 34.15), for PostgreSQL's own
/// programs: what is in the environment no other user can read, and a database's name is not taken for a connection string there.
/// </summary>
internal static class LibpqEnvironment
{
    /// <exception cref="ProblemException">CG1306: the client key has a password, for which libpq has no variable.</exception>
    public static IReadOnlyDictionary<string, string> Of(NpgsqlConnectionStringBuilder builder, (string Host, int Port)[] servers,
        string? requiredPeer)
    {
        if (builder.SslPassword is not null)
        {
            throw new ProblemException(
                "CG1306", "The password of the client's TLS key can't be handed on to PostgreSQL's own programs",
                advice: "Use a key without a password in a file that only you can read, or make the backup by other means.");
        }

        (string Variable, string? Value)[] all =
        [
            ("PGHOST", string.Join(',', servers.Select(s => s.Host))),
            ("PGPORT", string.Join(',', servers.Select(s => s.Port.ToString(CultureInfo.InvariantCulture)))),
            ("PGUSER", builder.Username),
            ("PGDATABASE", builder.Database),
            ("PGPASSWORD", builder.Password),
            ("PGPASSFILE", builder.Passfile),
            ("PGOPTIONS", builder.Options),
            ("PGAPPNAME", builder.ApplicationName == DatabaseUrl.DefaultApplicationName ? null : builder.ApplicationName),
            ("PGCONNECT_TIMEOUT", builder.Timeout.ToString(CultureInfo.InvariantCulture)),
            ("PGSSLMODE", Word(builder.SslMode)),
            ("PGSSLNEGOTIATION", builder.SslNegotiation == SslNegotiation.Direct ? "direct" : null),
            ("PGSSLROOTCERT", RootCertificate(builder)),
            ("PGSSLCERT", builder.SslCertificate),
            ("PGSSLKEY", builder.SslKey),
            ("PGCHANNELBINDING", builder.ChannelBinding.ToString().ToLowerInvariant()),
            ("PGREQUIREAUTH", builder.RequireAuth?.ToLowerInvariant().Replace("scramsha256", "scram-sha-256", StringComparison.Ordinal)),
            ("PGREQUIREPEER", requiredPeer),
            ("PGGSSENCMODE", builder.GssEncryptionMode.ToString().ToLowerInvariant()),
            ("PGKRBSRVNAME", builder.KerberosServiceName),
            ("PGTARGETSESSIONATTRS", builder.TargetSessionAttributes switch { null or "any" => null, "prefer-primary" => "primary",
                var word => word }),
            ("PGLOADBALANCEHOSTS", builder.LoadBalanceHosts ? "random" : null),
        ];
        return all.Where(v => !string.IsNullOrEmpty(v.Value)).ToDictionary(v => v.Variable, v => v.Value!, StringComparer.Ordinal);
    }

    private static string Word(SslMode mode) => mode switch
    {
        SslMode.VerifyCA => "verify-ca",
        SslMode.VerifyFull => "verify-full",
        _ => mode.ToString().ToLowerInvariant(),
    };

    /// <summary>
    /// Where no certificate is named, Npgsql and libpq both take <c>~/.postgresql/root.crt</c>; where that is not there, Npgsql verifies
    /// against the system's authorities, which libpq has to be told.
    /// </summary>
    private static string? RootCertificate(NpgsqlConnectionStringBuilder builder)
    {
        if (builder.RootCertificate is not null || builder.SslMode is not (SslMode.VerifyCA or SslMode.VerifyFull))
        {
            return builder.RootCertificate;
        }

        var usual = OperatingSystem.IsWindows()
            ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData), "postgresql", "root.crt")
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".postgresql", "root.crt");
        return File.Exists(usual) ? null : "system";
    }
}
