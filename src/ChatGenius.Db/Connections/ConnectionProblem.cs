using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Connections;

/// <summary>Says what a failed connection attempt means.</summary>
internal static class ConnectionProblem
{
    /// <returns>Null where the exception does not come from a connection attempt: it is then a fault of this program.</returns>
    public static Problem? From(DatabaseUrl url, Exception exception)
    {
        // A server that answers and is not of the kind that was asked for adds no exception to those of the servers that don't answer.
        if (exception is NpgsqlException { InnerException: AggregateException several } && several.InnerExceptions.Count < url.ServerCount)
        {
            return NotOfTheKind(url);
        }

        var causes = Causes(exception).ToList();
        foreach (var cause in causes)
        {
            if (Explain(url, cause) is { } problem)
            {
                return problem;
            }
        }

        return exception is NpgsqlException or IOException
            ? new Problem("CG0626", $"The connection to {url.ServerNames} failed: {causes[^1].Message}",
                Advice: "Try again; the server's log may say more.") { Kind = ProblemKind.Unreachable }
            : null;
    }

    /// <summary>The exception and what it was caused by. The inmost ones say the most, but an error that PostgreSQL reported says
    /// all.</summary>
    private static IEnumerable<Exception> Causes(Exception exception)
    {
        var inner = exception switch
        {
            AggregateException many => many.InnerExceptions.SelectMany(Causes),
            { InnerException: { } one } => Causes(one),
            _ => [],
        };
        return inner.Append(exception);
    }

    public static Problem NoAnswer(DatabaseUrl url, TimeSpan time) =>
        new("CG0612", $"{url.ServerNames} did not answer within {time.TotalSeconds:0.#} s",
        Advice: "Check the host, the port and any firewall between; connect_timeout=SECONDS in the URL waits longer.") { Kind =
            ProblemKind.Unreachable };

    private static Problem? Explain(DatabaseUrl url, Exception exception) => exception switch
    {
        PostgresException e => FromServer(url, e),
        SocketException e => FromSocket(url, e),
        TimeoutException => NoAnswer(url, url.ConnectTimeout),
        OutOfMemoryException => new Problem("CG0639",
            $"What answers at {url.ServerNames} announces a message that does not fit into memory",
            Advice: "Check that it is PostgreSQL that answers there; otherwise give the command more memory."),
        AuthenticationException e => Certificate(url, e.Message),
        CryptographicException e => KeyFile(e.Message),
        FileNotFoundException or DirectoryNotFoundException when url.PasswordFile is { } file && !File.Exists(file) =>
            new Problem("CG0614", $"The password file {file} is not there",
                Advice: "Check passfile in the connection string, or PGPASSFILE."),
        FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException => KeyFile(exception.Message),
        EndOfStreamException => NotPostgres(url),
        NpgsqlException e => FromClient(url, e.Message),
        _ => null,
    };

    private static Problem? FromServer(DatabaseUrl url, PostgresException e) => e.SqlState switch
    {
        PostgresErrorCodes.InvalidPassword => new Problem("CG0613", $"The server refuses the password of role \"{url.UserName}\"",
            Advice: "Check user and password in the URL (special characters percent-encoded), PGPASSWORD, or ~/.pgpass."),
        PostgresErrorCodes.InvalidAuthorizationSpecification when e.MessageText.Contains("does not exist", StringComparison.Ordinal) =>
            NoRole(url),
        PostgresErrorCodes.InvalidAuthorizationSpecification =>
            new Problem("CG0615", $"The server does not let role \"{url.UserName}\" in: {e.MessageText}",
            Advice: "An entry in the server's pg_hba.conf has to allow this role, database, address and encryption; "
                + "sslmode in the URL chooses the encryption."),
        PostgresErrorCodes.InvalidCatalogName => new Problem("CG0617",
            $"The database \"{url.DatabaseName}\" does not exist on {url.ServerNames}",
            Advice: "Create it with 'chatgenius-db create', or check the name in the URL.") { Kind = ProblemKind.NoDatabase },
        PostgresErrorCodes.InsufficientPrivilege =>
            new Problem("CG0618", $"Role \"{url.UserName}\" may not connect to the database \"{url.DatabaseName}\"",
            Advice: $"GRANT CONNECT ON DATABASE {SqlIdentifier.Quote(url.DatabaseName)} TO {SqlIdentifier.Quote(url.UserName)} "
                + "lets it in.") { Kind = ProblemKind.ClosedDatabase },
        // Another function of the server refuses databases that are closed on purpose.
        PostgresErrorCodes.ObjectNotInPrerequisiteState when e.Routine == "InitPostgres" => HalfDropped(url),
        PostgresErrorCodes.ObjectNotInPrerequisiteState =>
            new Problem("CG0618", $"The database \"{url.DatabaseName}\" takes no connections: {e.MessageText}",
            Advice: "Choose another database; template0 is kept closed on purpose.") { Kind = ProblemKind.ClosedDatabase },
        PostgresErrorCodes.TooManyConnections => new Problem("CG0619", $"The server has no connection to spare: {e.MessageText}",
            Advice: "Close some, or raise max_connections (or the limit of the role or the database); two are needed.") { Kind =
                ProblemKind.Busy },
        PostgresErrorCodes.CannotConnectNow => new Problem("CG0620",
            $"The server at {url.ServerNames} takes no connections just now: {e.MessageText}",
            Advice: "Wait for it with 'chatgenius-db wait'.") { Kind = ProblemKind.Busy },
        PostgresErrorCodes.ProtocolViolation when e.MessageText.Contains("startup parameter", StringComparison.Ordinal) =>
            new Problem("CG0624", $"PgBouncer refuses a start-up parameter: {e.MessageText}",
            Advice: "Leave options and search_path out of the URL, or list the parameter in PgBouncer's ignore_startup_parameters."),
        PostgresErrorCodes.ProtocolViolation when e.MessageText.Contains("no such database", StringComparison.Ordinal) =>
            new Problem("CG0617", $"PgBouncer knows no database \"{url.DatabaseName}\"",
            Advice: "Add it to PgBouncer's [databases], or check the name in the URL.") { Kind = ProblemKind.NoDatabase },
        _ => new Problem("CG0625", $"The server at {url.ServerNames} refuses the connection: {e.MessageText} ({e.SqlState})",
            Advice: e.Hint),
    };

    /// <summary>A drop that was interrupted leaves a database that can only be dropped (PostgreSQL 15.4 and later).</summary>
    public static Problem HalfDropped(DatabaseUrl url) => new(
        "CG0646", $"The database \"{url.DatabaseName}\" is what an interrupted drop has left: nobody can connect to it",
        Advice: "Drop the rest with 'chatgenius-db drop', or drop and build it with 'chatgenius-db reset'.") { Kind =
            ProblemKind.ClosedDatabase };

    private static Problem NoRole(DatabaseUrl url) => new("CG0616", $"The role \"{url.UserName}\" does not exist on {url.ServerNames}",
        Advice: $"Name another in the URL (postgres://ROLE@…), or create it: CREATE ROLE {SqlIdentifier.Quote(url.UserName)} LOGIN");

    private static Problem? FromSocket(DatabaseUrl url, SocketException e) => e.SocketErrorCode switch
    {
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain or SocketError.NoRecovery =>
            new Problem("CG0611", $"There is no host \"{url.Host}\"",
                Advice: "Check the host in the URL, and the name service of this machine."),
        SocketError.TimedOut => new Problem("CG0612", $"{url.ServerNames} does not answer",
            Advice: "Check the host, the port and any firewall between.") { Kind = ProblemKind.Unreachable },
        SocketError.AccessDenied => new Problem("CG0627", $"The socket {url.ServerNames} may not be opened by this user",
            Advice: "Check the permissions of its directory, or connect through a host name."),
        SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.NetworkDown or SocketError.HostDown =>
            new Problem("CG0627", $"{url.ServerNames} can't be reached from here: {e.Message}",
                Advice: "Check the network and the route to the host."),
        SocketError.ConnectionReset => NotPostgres(url),
        _ => new Problem("CG0610", $"No PostgreSQL server listens on {url.ServerNames}",
            Advice: "Start it, or check host and port; 'chatgenius-db wait' waits for it.") { Kind = ProblemKind.Unreachable },
    };

    private static Problem? FromClient(DatabaseUrl url, string message)
    {
        if (message.Contains("No password has been provided", StringComparison.Ordinal))
        {
            return new Problem("CG0614", $"The server asks role \"{url.UserName}\" for a password and none is given",
                Advice: "Give it in the URL (postgres://role:password@…), in PGPASSWORD, or in ~/.pgpass.");
        }

        if (message.Contains("authentication method is not allowed", StringComparison.Ordinal)
            || message.Contains("hannel binding", StringComparison.OrdinalIgnoreCase))
        {
            return new Problem("CG0644",
                $"The server at {url.ServerNames} does not authenticate as the connection string requires: {message}",
                Advice: "Somebody may stand between. Otherwise mend the server's pg_hba.conf, or change require_auth or channel_binding.");
        }

        if (message.Contains("No suitable host", StringComparison.Ordinal))
        {
            return NotOfTheKind(url);
        }

        if (message.Contains("SSL connection requested", StringComparison.Ordinal)
            || message.Contains("SSL required", StringComparison.Ordinal))
        {
            return new Problem("CG0621", $"The server at {url.ServerNames} has no TLS, and the connection string asks for it",
                Advice: "Turn it on at the server (ssl = on), or write sslmode=prefer where the network between is trusted.");
        }

        return message.Contains("unknown response", StringComparison.OrdinalIgnoreCase)
            || message.Contains("Unknown message code", StringComparison.OrdinalIgnoreCase)
            || message.Contains("Received unexpected", StringComparison.OrdinalIgnoreCase)
                || message.Contains("past the end of the stream", StringComparison.Ordinal)
            ? NotPostgres(url)
            : null;
    }

    private static Problem NotOfTheKind(DatabaseUrl url) =>
        new("CG0628", $"None of {url.ServerNames} is what target_session_attrs={url.TargetSessionAttributes} asks for",
        Advice: "Name the right server, or leave target_session_attrs out.");

    private static Problem Certificate(DatabaseUrl url, string message) =>
        new("CG0622", $"The TLS certificate of {url.ServerNames} is not trusted: {message}",
        Advice: "Name the authority that signed it (sslrootcert=FILE), and the host as the certificate names it.");

    private static Problem KeyFile(string message) => new("CG0629", $"A certificate or key file can't be used: {message}",
        Advice: "Check sslrootcert, sslcert, sslkey and sslpassword.");

    private static Problem NotPostgres(DatabaseUrl url) => new("CG0623", $"What answers at {url.ServerNames} is not PostgreSQL",
        Advice: "Check the port; PostgreSQL's own is 5432.") { Kind = ProblemKind.NotPostgres };
}
