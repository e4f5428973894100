using Npgsql;
using NpgsqlTypes;

namespace ChatGenius.Db.Connections;

/// <summary>A statement of our own, with a value for each of <c>$1</c> and so on.</summary>
/// <param name="Text">One statement.</param>
/// <param name="Values">Texts, lists of texts, whole numbers, oids, truth values and times; <c>null</c> for NULL.</param>
internal readonly record struct SqlQuery(string Text, params object?[] Values)
{
    public static implicit operator SqlQuery(string text) => new(text);

    /// <summary>The same for a batch, which sends a statement as it is written; an <see cref="NpgsqlCommand"/> rewrites it.</summary>
    internal NpgsqlBatchCommand ToCommand()
    {
        var command = new NpgsqlBatchCommand(Text);
        foreach (var value in Values)
        {
            command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = TypeOf(value), Value = value ?? DBNull.Value });
        }

        return command;
    }

    private static NpgsqlDbType TypeOf(object? value) => value switch
    {
        null => NpgsqlDbType.Unknown,
        string => NpgsqlDbType.Text,
        string[] => NpgsqlDbType.Array | NpgsqlDbType.Text,
        int => NpgsqlDbType.Integer,
        long => NpgsqlDbType.Bigint,
        uint => NpgsqlDbType.Oid,
        uint[] => NpgsqlDbType.Array | NpgsqlDbType.Oid,
        bool => NpgsqlDbType.Boolean,
        DateTime => NpgsqlDbType.TimestampTz,
        _ => throw new ArgumentOutOfRangeException(nameof(value), value.GetType().Name, "Statements of ours have no such values."),
    };
}
