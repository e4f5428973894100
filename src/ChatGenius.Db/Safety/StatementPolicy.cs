using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Safety;

/// <summary>How a statement can be run on a throw-away database, and whether it may be.</summary>
internal static class StatementPolicy
{
    internal const string BeyondTheDatabase = "it reaches beyond the throw-away database";
    internal const string AnEarlierOneFailed = "a statement before it failed";
    internal const string TheRoleIsThere = "roles belong to the whole server, and it has this one already";

    /// <summary>Whether what a reason left out does not matter to what follows.</summary>
    internal static bool IsHarmless(string? reason) => reason is BeyondTheDatabase or TheRoleIsThere;

    /// <summary>The role that a statement creates; null for any other statement.</summary>
    internal static string? CreatedRole(SqlStatement statement) =>
        statement.Words(3) is ["CREATE", "ROLE" or "USER" or "GROUP", ..] words && words is not [_, _, "MAPPING"] ? new StatementText(statement).NameAt(2)?.Name : null;

    /// <summary>
    /// Why a statement must not be run. The throw-away database can be on a server of the user's own: what changes the server, other
    /// databases or another server is left to the text.
    /// </summary>
    internal static string? ReasonNotToRun(SqlStatement statement) =>
        statement.Words(2) is [var first, var second]
            && (first, second) is ("ALTER", "SYSTEM") or ("CREATE" or "DROP" or "ALTER", "DATABASE" or "TABLESPACE" or "SUBSCRIPTION")
            ? BeyondTheDatabase
            : null;

    /// <summary>
    /// Whether the server is sure to refuse it inside a transaction block. What is not recognised here is tried in one, refused with 25001 and run
    /// again alone, so this only spares that.
    /// </summary>
    internal static bool NeedsToRunAlone(SqlStatement statement) =>
        statement.Is("VACUUM")
        || (statement.Words(4).Contains("CONCURRENTLY") && !statement.Is("REFRESH"));

    /// <summary>
    /// Whether a statement failed for want of something that belongs to the server and not to the migration: a right, a role, a tablespace, an
    /// extension's files. Roles and tablespaces share their code with things of the database, so the place that reports them has to tell.
    /// </summary>
    internal static bool LacksSomething(SqlStatement statement, PostgresException error) =>
        error.SqlState is PostgresErrorCodes.InsufficientPrivilege
        || (error.SqlState is PostgresErrorCodes.UndefinedObject && error.Routine is "get_role_oid" or "get_rolespec_oid" or "get_rolespec_tuple" or "get_tablespace_oid")
        || (error.SqlState is PostgresErrorCodes.FeatureNotSupported or PostgresErrorCodes.UndefinedFile && statement.Words(2) is ["CREATE", "EXTENSION"]);

    /// <summary>25001 active_sql_transaction; 2D000 invalid_transaction_termination, from a COMMIT inside a DO block or procedure.</summary>
    internal static bool RefusesTransactions(PostgresException error) =>
        error.SqlState is PostgresErrorCodes.ActiveSqlTransaction or PostgresErrorCodes.InvalidTransactionTermination;
}
