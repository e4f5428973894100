using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Migrations;

/// <summary>How a statement of a non-transactional section can be run, and how one is told that was run already.</summary>
internal enum StatementMode
{
    /// <summary>In a transaction of its own, together with its mark in the journal: it is done exactly when the journal says so.</summary>
    InTransaction,

    /// <summary>Outside; running it twice does what running it once does.</summary>
    Repeatable,

    /// <summary><c>CREATE INDEX CONCURRENTLY</c>: the index says whether it is done.</summary>
    CreateIndex,

    /// <summary><c>DROP INDEX CONCURRENTLY</c>: so does its absence.</summary>
    DropIndex,

    /// <summary><c>REINDEX … CONCURRENTLY</c>: repeatable once what a broken-off one left behind is gone.</summary>
    Reindex,

    /// <summary><c>ALTER TABLE … DETACH PARTITION … CONCURRENTLY</c>: the partition's place in the catalog says how far it is.</summary>
    DetachPartition,

    /// <summary><c>BEGIN</c>, <c>COMMIT</c> and the like: the section manages its transactions itself.</summary>
    TransactionControl,

    /// <summary>Outside, and only its author can tell whether it may run twice.</summary>
    Opaque,
}

/// <summary>What the text of a statement says about how to run it.</summary>
/// <param name="Mode">How.</param>
/// <param name="Index">The name of the index or the partition as written, for the modes that have one; may be empty.</param>
/// <param name="Table">The table's name as written, for <see cref="StatementMode.CreateIndex"/> and <see cref="StatementMode.DetachPartition"/>.</param>
internal sealed record StatementKind(StatementMode Mode, string Index = "", string Table = "")
{
    /// <summary>Reads it from the tokens. Which statements refuse a transaction block is in their reference pages.</summary>
    internal static StatementKind Of(SqlStatement statement)
    {
        if (statement.TransactionControl != SqlTransactionControl.None)
        {
            return new StatementKind(StatementMode.TransactionControl);
        }

        var tokens = new SqlTokenTexts(statement);
        var concurrently = tokens.IndexOf("CONCURRENTLY");
        if (tokens.Is(0, "CREATE") && (tokens.Is(1, "INDEX") || tokens.Is(2, "INDEX")) && concurrently is 2 or 3)
        {
            return CreateIndex(tokens, concurrently + 1);
        }

        if (tokens.Is(0, "DROP") && tokens.Is(1, "INDEX") && concurrently == 2)
        {
            var name = tokens.Is(3, "IF") ? 5 : 3;
            return new StatementKind(StatementMode.DropIndex, tokens.QualifiedName(ref name));
        }

        if (tokens.Is(0, "ALTER") && tokens.Is(1, "TABLE") && concurrently > 0 && tokens.IndexOf("DETACH") is > 2 and var detach)
        {
            var (table, partition) = (tokens.Is(2, "IF") ? 4 : 2, tokens.Is(detach + 1, "PARTITION") ? detach + 2 : detach + 1);
            table += tokens.Is(table, "ONLY") ? 1 : 0;
            var parent = tokens.QualifiedName(ref table);
            return new StatementKind(StatementMode.DetachPartition, tokens.QualifiedName(ref partition), parent);
        }

        return new StatementKind(
            tokens.Is(0, "REINDEX") && concurrently > 0 ? StatementMode.Reindex
            : IsRepeatable(tokens) ? StatementMode.Repeatable
            : IsOpaque(tokens) ? StatementMode.Opaque
            : StatementMode.InTransaction);
    }

    private static bool IsRepeatable(SqlTokenTexts tokens) =>
        tokens.Is(0, "VACUUM")
        || tokens.Is(0, "REINDEX")
        || tokens.Is(0, "DISCARD")
        || (tokens.Is(0, "CLUSTER") && tokens.Count <= 2)
        || (tokens.Is(0, "ALTER") && tokens.Is(1, "SUBSCRIPTION") && tokens.IndexOf("REFRESH") == 3)
        || (tokens.Is(0, "ALTER") && (tokens.Is(1, "SYSTEM") || tokens.Is(1, "DATABASE")));

    private static bool IsOpaque(SqlTokenTexts tokens) =>
        tokens.Is(0, "CALL")
        || (tokens.Is(0, "DO") && EndsTransactions(tokens))
        || ((tokens.Is(0, "CREATE") || tokens.Is(0, "DROP")) && (tokens.Is(1, "DATABASE") || tokens.Is(1, "TABLESPACE") || tokens.Is(1, "SUBSCRIPTION")))
        // Outside a transaction because it also refreshes; ADD and DROP refuse to do so twice.
        || (tokens.Is(0, "ALTER") && tokens.Is(1, "SUBSCRIPTION") && tokens.IndexOf("PUBLICATION") == 4);

    private static StatementKind CreateIndex(SqlTokenTexts tokens, int i)
    {
        i += tokens.Is(i, "IF") && tokens.Is(i + 1, "NOT") ? 3 : 0;
        var index = tokens.Is(i, "ON") ? "" : tokens.QualifiedName(ref i);
        i++;
        i += tokens.Is(i, "ONLY") ? 1 : 0;
        return new StatementKind(StatementMode.CreateIndex, index, tokens.QualifiedName(ref i));
    }

    /// <summary>Whether a DO block's body ends transactions, which it can do only outside one.</summary>
    private static bool EndsTransactions(SqlTokenTexts tokens) => tokens.Any(token => token.Length > 1 && token[0] is '$' or '\''
        && (token.Contains("COMMIT", StringComparison.OrdinalIgnoreCase) || token.Contains("ROLLBACK", StringComparison.OrdinalIgnoreCase)));
}
