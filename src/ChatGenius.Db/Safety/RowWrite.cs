using System.Collections.Immutable;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Safety;

/// <summary>
/// A statement that does no more than to write rows which it says, or which it names by a key. Many such are traced together: what one of
/// them does to others is what each of them does.
/// </summary>
/// <param name="Statement">The statement.</param>
/// <param name="Verb"><c>INSERT</c>, <c>UPDATE</c> or <c>DELETE</c>.</param>
/// <param name="Table">The ordinary table that it writes to; null where another or none is known.</param>
internal readonly record struct RowWrite(SqlStatement Statement, string Verb, Relation? Table)
{
    // What has a query in it may read any table; one of these makes UPDATE and DELETE reach further than a key.
    private static readonly string[] Queries = ["SELECT", "WITH", "USING", "TABLE", "COPY", "JOIN"];
    private static readonly string[] FurtherThanAKey = ["IN", "ANY", "SOME", "FROM", "OR", "CURRENT"];

    /// <summary>Reads a statement.</summary>
    /// <param name="statement">The statement.</param>
    /// <param name="now">The catalog before it.</param>
    /// <param name="before">The catalog before its migration: nobody else uses tables that it has not got.</param>
    /// <returns>Null for any other statement.</returns>
    internal static RowWrite? Of(SqlStatement statement, Catalog now, Catalog before)
    {
        if (statement.Words(1) is not ["INSERT" or "UPDATE" or "DELETE"] || statement.IsCopyFromStdin
            || new StatementText(statement) is not { IsWhole: true } text || StatementFacts.Target(text) is not { } target
            || text.Tokens.Any(token => token.Kind == SqlTokenKind.Word && Queries.Contains(token.Text)))
        {
            return null;
        }

        var (verb, table) = (text.Tokens[0].Text, StatementFacts.Find(now, target));
        if (Calls(text).Any(now.HasFunction))
        {
            return null;
        }

        var isSaid = verb == "INSERT" ? text.Has("VALUES")
            : table is { Kind: 'r' } && text.Find(0, "WHERE") is > 0 and var where
                && !text.Tokens.Skip(where).Any(token => token.Kind == SqlTokenKind.Word && FurtherThanAKey.Contains(token.Text))
                && (verb == "DELETE" || text.Find(0, "FROM") < 0)
                && (before.Find(table.Oid) is null || StatementFacts.IsByKey(text, now, table));
        return isSaid ? new RowWrite(statement, verb, table is { Kind: 'r' } && !text.Has("CONFLICT") ? table : null) : null;
    }

    /// <summary>What it has done to its table, if that is known.</summary>
    internal Activity Did(long rows) => Verb switch
    {
        "INSERT" => new Activity(0, 0, 0, rows, 0, 0),
        "UPDATE" => new Activity(0, 0, 0, 0, rows, 0),
        _ => new Activity(0, 0, 0, 0, 0, rows),
    };

    /// <summary>The names of functions that it calls.</summary>
    private static IEnumerable<string> Calls(StatementText text) => text.Tokens.Zip(text.Tokens.Skip(1))
        .Where(pair => pair.First.Name is not null && pair.Second.Kind == SqlTokenKind.OpenParenthesis).Select(pair => pair.First.Name!);
}

/// <summary>What each of several statements did, of what all of them did together.</summary>
internal sealed class Shares
{
    private readonly Dictionary<(uint Table, Activity Did), ImmutableDictionary<uint, Activity>> _made = [];
    private readonly ImmutableDictionary<uint, Activity> _part, _left;
    private readonly (uint Table, Activity Did)[] _own;

    /// <param name="writes">The statements.</param>
    /// <param name="rows">How many rows each says that it wrote.</param>
    /// <param name="before">The counters before the first.</param>
    /// <param name="after">The counters after the last.</param>
    internal Shares(List<RowWrite> writes, long[] rows, Reading before, Reading after)
    {
        var all = after.Counters.ToDictionary(
            pair => pair.Key, pair => pair.Value - before.Counters.GetValueOrDefault(pair.Key));
        _own = [.. writes.Select((write, i) => write.Table is { } table && rows[i] > 0 && all.ContainsKey(table.Oid)
            ? (table.Oid, write.Did(rows[i])) : default)];
        foreach (var (table, did) in _own.Where(own => own.Table != 0))
        {
            all[table] -= did;
        }

        _part = all.Where(pair => pair.Value.Part(Count).Written > 0)
            .ToImmutableDictionary(pair => pair.Key, pair => pair.Value.Part(Count));
        _left = all.ToImmutableDictionary(pair => pair.Key, pair => pair.Value - _part.GetValueOrDefault(pair.Key).Times(Count));
    }

    /// <summary>How many statements.</summary>
    internal int Count => _own.Length;

    /// <summary>What one of them did; the first has what is left over too.</summary>
    internal ImmutableDictionary<uint, Activity> Of(int index)
    {
        var own = _own[index];
        if (index > 0 && _made.TryGetValue(own, out var made))
        {
            return made;
        }

        var share = index == 0 ? _part.SetItems(_left.Select(pair =>
            KeyValuePair.Create(pair.Key, pair.Value + _part.GetValueOrDefault(pair.Key)))) : _part;
        share = own.Table == 0 ? share : share.SetItem(own.Table, share.GetValueOrDefault(own.Table) + own.Did);
        return index == 0 ? share : _made[own] = share;
    }
}
