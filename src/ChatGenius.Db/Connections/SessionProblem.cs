using System.Text;
using Npgsql;

namespace ChatGenius.Db.Connections;

/// <summary>Says what it means that the server, or the way to it, failed at a piece of work of ours.</summary>
internal static class SessionProblem
{
    /// <summary>So much of a server's message is shown: some servers repeat a whole row or statement in it.</summary>
    private const int LongestMessage = 2_000;

    /// <returns>Null where the exception is a fault of this program.</returns>
    /// <param name="work">What was done, such as <c>reading the schema</c>.</param>
    /// <param name="exception">What was thrown.</param>
    /// <param name="isOpen">Whether the connection is still there.</param>
    internal static Problem? From(string work, Exception exception, bool isOpen)
    {
        if (Within<OutOfMemoryException>(exception))
        {
            return new Problem("CG0639", $"{Capital(work)} failed: what the server sent does not fit into memory",
                Advice: "Check that it is PostgreSQL that answers there; otherwise give the command more memory.");
        }

        if (Within<DecoderFallbackException>(exception))
        {
            return Encoding(work, "the server sent text that is not UTF-8");
        }

        return exception switch
        {
            PostgresException e => FromServer(work, e),
            NpgsqlException or IOException => Lost(work, exception),
            InvalidOperationException when !isOpen => Lost(work, exception),
            _ => null,
        };
    }

    /// <summary>Whether the server ended the session: it is shutting down, crashed, or somebody terminated our backend.</summary>
    internal static bool EndsSession(PostgresException error) => error.InvariantSeverity is "FATAL" or "PANIC";

    private static Problem FromServer(string work, PostgresException e)
    {
        var message = $"{Capital(work)} failed: {Shorten(e.MessageText)} (SQLSTATE {e.SqlState})";
        return e.SqlState switch
        {
            PostgresErrorCodes.DiskFull => new Problem("CG0633", message, Advice: DiskFull.Advice),
            // The server's message may be in any language; the function that refuses is always the same.
            PostgresErrorCodes.InsufficientPrivilege when e.Routine == "check_enable_rls" => new Problem("CG0635", message,
                Advice: "A policy would hide rows from this role, and the result would be wrong without a word. "
                    + "Connect as the owner or as a role with BYPASSRLS."),
            PostgresErrorCodes.InsufficientPrivilege => new Problem("CG0634", message,
                Advice: "Connect as a role that may do this, or let the owner grant it."),
            PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.LockNotAvailable or "25P03" or "25P04" or "57P05" =>
                new Problem("CG0636", message,
                Advice: "Another session holds a lock, or a time limit of the role, the database or the server is shorter than this takes. "
                    + "Try again, or raise the limit."),
            PostgresErrorCodes.ReadOnlySqlTransaction => new Problem("CG0637", message, Advice: ReadOnly),
            PostgresErrorCodes.FeatureNotSupported when e.Routine == "check_transaction_read_only" =>
                new Problem("CG0637", message, Advice: ReadOnly),
            PostgresErrorCodes.CharacterNotInRepertoire or PostgresErrorCodes.UntranslatableCharacter =>
                Encoding(work, Shorten(e.MessageText)),
            PostgresErrorCodes.OutOfMemory => new Problem("CG0639", message,
                Advice: "The server has too little memory for it. Try again when it does less."),
            _ when EndsSession(e) => Lost(work, e),
            _ => new Problem("CG0640", message, Advice: e.Hint ?? e.Detail),
        };
    }

    private const string ReadOnly =
        "Connect to a primary, as a role that writes: this is a hot standby, or the role or the database has "
        + "default_transaction_read_only = on.";

    private static Problem Lost(string work, Exception e) => new(
        "CG0514",
            $"The connection was lost while {work}: "
            + Shorten(e is PostgresException refused ? refused.MessageText : (e.InnerException ?? e).Message),
        Advice: "Run the same command again.");

    private static Problem Encoding(string work, string what) => new(
        "CG0638", $"{Capital(work)} failed: {what}",
        Advice: "A database with the encoding SQL_ASCII takes any bytes: rename what has a name that is not UTF-8, or copy the database "
            + "into one with the encoding UTF8.");

    private static bool Within<T>(Exception exception)
        where T : Exception => exception is T || (exception.InnerException is { } inner && Within<T>(inner));

    private static string Shorten(string message) => message.Length > LongestMessage ? message[..LongestMessage] + " …" : message;

    private static string Capital(string work) => char.ToUpperInvariant(work[0]) + work[1..];
}
