namespace ChatGenius.Db.Sql;

/// <summary>How to run a statement outside a transaction, and how to tell that it already ran.</summary>
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
/// <param name="Table">The table's name as written, for <see cref="StatementMode.CreateIndex"/> and
/// <see cref="StatementMode.DetachPartition"/>.</param>
internal sealed record StatementKind(StatementMode Mode, string Index = "", string Table = "")
{
    /// <summary>Reads it from the tokens. Which statements refuse a transaction block is in their reference pages.</summary>
    internal static StatementKind Of(SqlStatement statement)
    {
        if (statement.TransactionControl != SqlTransactionControl.None)
        {
            return new StatementKind(StatementMode.TransactionControl);
        }

        var text = new StatementText(statement);
        var concurrently = text.Find(0, "CONCURRENTLY");
        if (text.Is("CREATE") && (text.At(1, "INDEX") || text.At(2, "INDEX")) && concurrently is 2 or 3)
        {
            var index = text.SkipGuards(concurrently + 1);
            var name = text.At(index, "ON") ? null : text.NameAt(index);
            var table = text.NameAt(text.SkipGuards((name?.Next ?? index) + 1));
            return new StatementKind(StatementMode.CreateIndex, name?.Sql ?? "", table?.Sql ?? "");
        }

        if (text.Is("DROP", "INDEX", "CONCURRENTLY"))
        {
            return new StatementKind(StatementMode.DropIndex, text.NameAt(text.SkipGuards(3))?.Sql ?? "");
        }

        if (text.Is("ALTER", "TABLE") && concurrently > 0 && text.Find(0, "DETACH") is > 2 and var detach)
        {
            var partition = text.NameAt(detach + (text.At(detach + 1, "PARTITION") ? 2 : 1));
            return new StatementKind(StatementMode.DetachPartition, partition?.Sql ?? "", text.NameAt(text.SkipGuards(2))?.Sql ?? "");
        }

        return new StatementKind(
            text.Is("REINDEX") && concurrently > 0 ? StatementMode.Reindex
            : IsRepeatable(text) ? StatementMode.Repeatable
            : IsOpaque(text) ? StatementMode.Opaque
            : StatementMode.InTransaction);
    }

    private static bool IsRepeatable(StatementText text) =>
        text.Is("VACUUM")
        || text.Is("REINDEX")
        || text.Is("DISCARD")
        // All tables, and a partitioned one, are refused in a transaction.
        || text.Is("CLUSTER")
        || (text.Is("ALTER", "SUBSCRIPTION") && (text.At(3, "REFRESH") || text.At(4, "(")))
        || text.Is("ALTER", "SYSTEM") || text.Is("ALTER", "DATABASE");

    private static bool IsOpaque(StatementText text) =>
        text.Is("CALL") || text.Is("COMMIT", "PREPARED") || text.Is("ROLLBACK", "PREPARED")
        // A DO block's body can end transactions only outside one.
        || (text.Is("DO") && (text.Mentions("COMMIT") || text.Mentions("ROLLBACK")))
        || ((text.Is("CREATE") || text.Is("DROP")) && (text.At(1, "DATABASE") || text.At(1, "TABLESPACE") || text.At(1, "SUBSCRIPTION")))
        // Outside a transaction because it also refreshes; ADD and DROP refuse to do so twice.
        || (text.Is("ALTER", "SUBSCRIPTION") && text.At(4, "PUBLICATION"));
}
