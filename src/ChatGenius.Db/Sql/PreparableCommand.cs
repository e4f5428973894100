using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace ChatGenius.Db.Sql;

/// <summary>
/// A command of our own with its parameters. It can be sent as it is; where one is sent many times with other values, the server can be made
/// to parse and plan it once (PostgreSQL: PREPARE).
/// </summary>
/// <param name="sql">One statement, with <c>$1</c> and so on.</param>
/// <param name="parameters">What stands for them: texts, and numbers of 32 and 64 bits.</param>
internal sealed class PreparableCommand(string sql, params (NpgsqlDbType Type, object? Value)[] parameters)
{
    /// <summary>The command with its values beside it.</summary>
    internal NpgsqlBatchCommand ToBatchCommand()
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var (type, value) in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = type, Value = value ?? DBNull.Value });
        }

        return command;
    }

    /// <summary>The statement that prepares it under a name.</summary>
    internal string Prepare(string name) => $"PREPARE {name} ({string.Join(", ", parameters.Select(parameter => TypeName(parameter.Type)))}) AS {sql}";

    /// <summary>The statement that runs what was prepared under a name, with the values of this one.</summary>
    internal string Execute(string name) => $"EXECUTE {name} ({string.Join(", ", parameters.Select(parameter => Literal(parameter.Value)))})";

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
