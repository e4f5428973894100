using System.Text.RegularExpressions;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Replay;

/// <summary>How a statement can be run on a throw-away database, whether it may be, and what it means that it fails there.</summary>
internal static partial class StatementPolicy
{
    internal const string BeyondTheDatabase = "it reaches beyond the throw-away database";
    internal const string AnEarlierOneFailed = "a statement before it failed";
    internal const string TheRoleIsThere = "roles belong to the whole server, and it has this one already";
    internal const string TheRoleIsUsed = "roles belong to the whole server, and another database there uses this one";

    private static readonly string[] NeedOthers = ["GRANT", "REVOKE", "REASSIGN", "SECURITY", "DO", "CALL"];
    private static readonly string[] NeededKinds =
        ["EXTENSION", "ROLE", "USER", "GROUP", "POLICY", "SCHEMA", "OWNED", "DEFAULT", "SESSION", "ON"];
    private static readonly string[] NeededInAlter = ["OWNER", "TABLESPACE"];

    /// <summary>Whether what a reason left out does not matter: the server has what the statement would make.</summary>
    internal static bool IsHarmless(string? reason) => reason is TheRoleIsThere or TheRoleIsUsed;

    /// <summary>The role that a statement creates; null for any other statement.</summary>
    internal static string? CreatedRole(SqlStatement statement) =>
        statement.Words(3) is ["CREATE", "ROLE" or "USER" or "GROUP", ..] words && words is not [_, _, "MAPPING"]
            ? new StatementText(statement).NameAt(2)?.Name : null;

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
    /// Whether the server is sure to refuse it inside a transaction block. What is not recognised here is tried in one, refused with 25001
    /// and run again alone, so this only spares that.
    /// </summary>
    internal static bool NeedsToRunAlone(SqlStatement statement) =>
        statement.Is("VACUUM") || (statement.Words(4).Contains("CONCURRENTLY") && !statement.Is("REFRESH"));

    /// <summary>
    /// Whether a statement may need what belongs to the server and not to the migration, so that it is run where its failure can be undone
    /// alone.
    /// A few more than fail so cost a savepoint.
    /// </summary>
    internal static bool MayLack(SqlStatement statement) => statement.Words(2) switch
    {
        [var first, ..] when NeedOthers.Contains(first) => true,
        ["ALTER", "TABLE" or "VIEW" or "SEQUENCE" or "FUNCTION" or "TYPE" or "INDEX" or "MATERIALIZED" or "PROCEDURE" or "DOMAIN", ..]
            => Array.Exists(NeededInAlter, word => statement.Text.Contains(word, StringComparison.OrdinalIgnoreCase)),
        ["CREATE" or "ALTER" or "DROP" or "COMMENT", var kind] => NeededKinds.Contains(kind),
        ["SET", "ROLE" or "SESSION"] => true,
        _ => false,
    };

    /// <summary>
    /// The role that the server has not got, which is why a statement failed there; null where it failed for another reason.
    /// </summary>
    /// <remarks>It is only asked of a server of our own, whose messages are English.</remarks>
    internal static string? MissingRole(PostgresException error) =>
        error.SqlState is PostgresErrorCodes.UndefinedObject or PostgresErrorCodes.InvalidParameterValue
            && NoSuchRole().Match(error.MessageText) is { Success: true } match ? match.Groups[1].Value : null;

    /// <summary>
    /// Why a failure tells nothing of the migration: roles are the server's, and stay there when a database goes. Null for any other
    /// failure.
    /// </summary>
    internal static string? OfRole(SqlStatement statement, PostgresException error) => error switch
    {
        { SqlState: PostgresErrorCodes.DuplicateObject, Routine: "CreateRole" } => TheRoleIsThere,
        { SqlState: PostgresErrorCodes.DependentObjectsStillExist, Routine: "DropRole" }
            when statement.Is("DROP") && error.Detail?.Split('\n').All(line => InAnotherDatabase().IsMatch(line)) == true => TheRoleIsUsed,
        _ => null,
    };

    /// <summary>
    /// Whether a statement failed for want of something that belongs to the server and not to the migration: a right, a role, a tablespace,
    /// an extension's files. Roles and tablespaces share their code with things of the database, so the place that reports them has to
    /// tell.
    /// </summary>
    internal static bool LacksSomething(SqlStatement statement, PostgresException error) =>
        error.SqlState is PostgresErrorCodes.InsufficientPrivilege
        || (error.SqlState is PostgresErrorCodes.UndefinedObject
            && error.Routine is "get_role_oid" or "get_rolespec_oid" or "get_rolespec_tuple" or "get_tablespace_oid")
        || (error.SqlState is PostgresErrorCodes.FeatureNotSupported or PostgresErrorCodes.UndefinedFile
            && statement.Words(2) is ["CREATE" or "ALTER", "EXTENSION"])
        || (error.SqlState is PostgresErrorCodes.UndefinedObject
            && statement.Words(3) is [_, "EXTENSION", ..] or ["COMMENT", "ON", "EXTENSION"]);

    /// <summary>Whether an error can be what comes of something that is not there because an earlier statement was passed over.</summary>
    internal static bool MayFollow(PostgresException error) => error.SqlState is
        PostgresErrorCodes.UndefinedObject or PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn
            or PostgresErrorCodes.UndefinedFunction
        or PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.WrongObjectType
        or PostgresErrorCodes.InvalidParameterValue or PostgresErrorCodes.InvalidForeignKey;

    /// <summary>
    /// 25001 active_sql_transaction; 2D000 invalid_transaction_termination, from a COMMIT inside a DO block or procedure.
    /// </summary>
    internal static bool RefusesTransactions(PostgresException error) =>
        error.SqlState is PostgresErrorCodes.ActiveSqlTransaction or PostgresErrorCodes.InvalidTransactionTermination;

    [GeneratedRegex("""^role "(.+)" does not exist$""")]
    private static partial Regex NoSuchRole();

    [GeneratedRegex("^[0-9]+ objects? in database ")]
    private static partial Regex InAnotherDatabase();
}
