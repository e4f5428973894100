using System.Globalization;
using ChatGenius.Db.Sql;
using Npgsql;
using NpgsqlTypes;

namespace ChatGenius.Db.Connections;

/// <summary>
/// A command of our own with parameters. It can be sent with values as it is; where that is done many times, the server can be made to
/// parse and plan it once (PostgreSQL: PREPARE).
/// </summary>
/// <param name="sql">One statement, with <c>$1</c> and so on.</param>
/// <param name="types">The types of the parameters: texts, and numbers of 32 and 64 bits.</param>
internal sealed class PreparableCommand(string sql, params NpgsqlDbType[] types)
{
    /// <summary>The command with a value for each parameter.</summary>
    internal NpgsqlBatchCommand With(params ReadOnlySpan<object?> values)
    {
        var command = new NpgsqlBatchCommand(sql);
        for (var i = 0; i < types.Length; i++)
        {
            command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = types[i], Value = values[i] ?? DBNull.Value });
        }

        return command;
    }

    /// <summary>The command that prepares it under a name.</summary>
    internal NpgsqlBatchCommand Prepare(string name) => new($"PREPARE {name} ({string.Join(", ", types.Select(TypeName))}) AS {sql}");

    /// <summary>The command that runs what was prepared under a name, with a value for each parameter.</summary>
    internal static NpgsqlBatchCommand Execute(string name, params IEnumerable<object?> values) =>
        new($"EXECUTE {name} ({string.Join(", ", values.Select(Literal))})");

    /// <summary>Whether a command is one of <see cref="Execute"/>.</summary>
    internal static bool IsExecute(string command) => command.StartsWith("EXECUTE ", StringComparison.Ordinal);

    private static string TypeName(NpgsqlDbType type) => type switch
    {
        NpgsqlDbType.Bigint => "pg_catalog.int8",
        NpgsqlDbType.Integer => "pg_catalog.int4",
        NpgsqlDbType.Double => "pg_catalog.float8",
        NpgsqlDbType.Text => "pg_catalog.text",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };

    private static string Literal(object? value) => value switch
    {
        null => "NULL",
        string text => SqlLiteral.Quote(text),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => throw new ArgumentOutOfRangeException(nameof(value), value, null),
    };
}
