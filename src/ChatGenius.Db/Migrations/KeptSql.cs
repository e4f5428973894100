using System.Globalization;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Migrations;

/// <summary>
/// The SQL that keeps values. It shares a session with a migration: every name, function, operator and cast is qualified. Values are the
/// texts that their types write, under settings that lose nothing.
/// </summary>
/// <param name="schema">The history's schema, quoted.</param>
/// <param name="version">The migration.</param>
internal sealed class KeptSql(string schema, long version)
{
    /// <summary>Under these every value is written so that it is read back as itself, whatever the reader's settings are; but for money,
    /// which is read with the same.</summary>
    internal static readonly (string Name, string Value)[] Settings =
    [
        ("DateStyle", "ISO, YMD"), ("IntervalStyle", "iso_8601"), ("extra_float_digits", "1"), ("bytea_output", "hex"), ("TimeZone", "UTC"),
        ("lc_monetary", "C"),
    ];

    /// <summary>Notes the session's own settings.</summary>
    internal static readonly string Save = $"SELECT pg_catalog.set_config('chatgenius_db.was', pg_catalog.jsonb_build_array("
        + string.Join(", ", Settings.Select(setting => $"pg_catalog.current_setting('{setting.Name}')")) + ")::pg_catalog.text, true)";

    /// <summary>Makes ours.</summary>
    internal static readonly string Set = $"SELECT {Calls}";

    /// <summary>Goes back to the session's own.</summary>
    internal static readonly string Back = "SELECT " + string.Join(", ", Settings.Select((setting, i) => string.Create(
        CultureInfo.InvariantCulture,
        $"pg_catalog.set_config('{setting.Name}', pg_catalog.jsonb_array_element_text(pg_catalog.current_setting('chatgenius_db.was')"
            + $"::pg_catalog.jsonb, {i}), true)")));

    private static string Calls => string.Join(", ", Settings.Select((setting, i) =>
        $"pg_catalog.set_config('{setting.Name}', '{setting.Value}', true) AS s{i.ToString(CultureInfo.InvariantCulture)}"));

    private readonly string _kept = $"{schema}.kept";

    /// <summary>A statement with what keeps its losses before it, in it and after it.</summary>
    /// <param name="statement">The statement.</param>
    /// <param name="parts">What it destroys.</param>
    internal IEnumerable<StepCommand> Around(SqlStatement statement, IReadOnlyList<KeptPart> parts)
    {
        if (parts.Count == 0)
        {
            return [statement];
        }

        var before = new List<StepCommand>();
        var after = new List<StepCommand>();
        // One lock after the other in one order, so that two of our own can't wait for each other.
        before.AddRange(parts.Select(part => part.Target.Table).Distinct().Order(StringComparer.Ordinal)
            .Select(table => (StepCommand)$"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"));
        before.AddRange(parts.Where(part => part.IsRows).Select(part => (StepCommand)Guard(part)));
        before.Add(Save);
        before.Add(Set);
        before.AddRange(parts.Where(part => !part.IsExact).Select(part => (StepCommand)Image(part)));
        before.Add(Back);
        after.Add(Set);
        foreach (var part in parts.Where(part => part.Compares))
        {
            after.AddRange(Compare(part).Select(command => (StepCommand)command));
        }

        after.Add(Back);
        return [.. before, parts.FirstOrDefault(part => part.IsExact) is { } exact ? Exact(statement, exact) : statement, .. after];
    }

    /// <summary>Fails where the table has got another column since it was decided what to keep.</summary>
    private static string Guard(KeptPart part)
    {
        // Those that the section itself has added have numbers that nobody knows yet.
        var last = part.Target.Names.Keys.Max();
        var columns = part.Target.Names.Keys.Order().Select(number => Number(number)).Concat(Enumerable.Repeat("+", part.Target.Added));
        return $"""
            SELECT CASE WHEN (SELECT pg_catalog.string_agg(CASE WHEN a.attnum OPERATOR(pg_catalog.<=) {Number(last)}
                    THEN a.attnum::pg_catalog.text ELSE '+' END, ','::pg_catalog.text ORDER BY a.attnum)
                FROM pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.=) {Name(part)}::pg_catalog.regclass
                    AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped)
                OPERATOR(pg_catalog.=) '{string.Join(',', columns)}' THEN 0
                ELSE pg_catalog.concat('chatgenius-db: somebody has changed the columns of ', {Name(part)})::pg_catalog.int4 END
            """;
    }

    /// <summary>Keeps what all rows have.</summary>
    private string Image(KeptPart part) =>
        $"""
        INSERT INTO {_kept} (version, statement, table_name, kind, key, old_values)
        SELECT {Numbers(part)}, {Name(part)}, '{Kind(part)}', {Object(part.Key, "t")}, {Object(part.Columns, "t")}
        FROM {part.Target.Table} t
        """;

    /// <summary>Forgets what is there as it was, and notes what is there with other values.</summary>
    private string[] Compare(KeptPart part)
    {
        var mine = $"k.version OPERATOR(pg_catalog.=) {Number(version)} "
            + $"AND k.statement OPERATOR(pg_catalog.=) {Number(part.Statement + 1)} AND k.table_name OPERATOR(pg_catalog.=) {Name(part)}";
        return
        [
            $"""
            UPDATE {_kept} k SET kind = 'values', new_values = {Object(part.Columns, "t")} FROM {part.Target.Table} t
            WHERE {mine} AND k.key OPERATOR(pg_catalog.=) {Object(part.Key, "t")}
            """,
            $"DELETE FROM {_kept} k WHERE {mine} AND k.kind OPERATOR(pg_catalog.=) 'values' "
                + "AND k.old_values OPERATOR(pg_catalog.=) k.new_values",
        ];
    }

    /// <summary>
    /// The statement gives the rows that it has changed, and what it had before comes from the same moment. Our settings hold from when it
    /// has changed its last row: its own expressions are computed under the session's.
    /// </summary>
    private WrappedStatement Exact(SqlStatement statement, KeptPart part)
    {
        var row = RowName(new StatementText(statement));
        var returned = part.Key.Select((column, i) => $"{row}.{Quote(column)} AS k{Number(i)}")
            .Concat(part.Columns.Select((column, i) => $"{row}.{Quote(column)} AS v{Number(i)}"));
        var key = Object(part.Key, i => $"n.k{Number(i)}");
        var values = Object(part.Columns, i => $"n.v{Number(i)}");
        var join = string.Join(" AND ", part.Key.Select((column, i) => $"o.{Quote(column)} {part.Equality[i]} n.k{Number(i)}"));
        var from = part.IsRows ? $"{values} FROM chatgenius_fixed CROSS JOIN chatgenius_changed n"
            : $"{Object(part.Columns, "o")}, {values} FROM chatgenius_fixed CROSS JOIN chatgenius_changed n JOIN {part.Target.Table} o ON "
                + join;
        return new WrappedStatement(
            "WITH chatgenius_changed AS (\n", statement,
            $"""

            RETURNING {string.Join(", ", returned)}),
            chatgenius_all AS MATERIALIZED (SELECT pg_catalog.count(*) AS n FROM chatgenius_changed),
            chatgenius_fixed AS MATERIALIZED (SELECT {Calls} FROM chatgenius_all)
            INSERT INTO {_kept} (version, statement, table_name, kind, key, old_values{(part.IsRows ? "" : ", new_values")})
            SELECT {Numbers(part)}, {Name(part)}, '{Kind(part)}', {key}, {from}
            """);
    }

    /// <summary>What an UPDATE, DELETE or INSERT calls the rows of its table.</summary>
    private static string RowName(StatementText text)
    {
        var at = text.Tokens.ToList().FindIndex(token => token is { Depth: 0, Kind: SqlTokenKind.Word,
            Text: "UPDATE" or "DELETE" or "INSERT" });
        at += text.Tokens[at].Text == "UPDATE" ? 1 : 2;
        var name = text.NameAt(at + (text.At(at, "ONLY") ? 1 : 0))!.Value;
        var next = name.Next + (text.At(name.Next, "*") ? 1 : 0);
        next += text.At(next, "AS") ? 1 : 0;
        var isAlias = next > name.Next && text.At(next - 1, "AS");
        isAlias |= next < text.Tokens.Count && text.Tokens[next].Name is not null && text.Tokens[next].Depth == 0
            && !text.AtAny(next, "SET", "USING", "WHERE", "VALUES", "DEFAULT", "OVERRIDING", "SELECT", "WITH", "TABLE");
        return SqlIdentifier.Quote(isAlias ? text.Tokens[next].Name! : name.Name);
    }

    private static string Object(IReadOnlyList<KeptColumn> columns, string alias) =>
        Object(columns, i => $"{alias}.{Quote(columns[i])}");

    /// <summary>An object of texts by column. A row of nulls in a column is a value, and not null.</summary>
    private static string Object(IReadOnlyList<KeptColumn> columns, Func<int, string> value)
    {
        var texts = columns.Select((column, i) => $"CASE WHEN {value(i)} IS NOT DISTINCT FROM NULL THEN NULL ELSE pg_catalog.concat("
            + $"{value(i)}{(column.Cast is { Length: > 0 } cast ? $"::pg_catalog.{cast}" : "")}) END");
        var names = columns.Select(column => SqlLiteral.Quote(column.Name));
        return $"pg_catalog.jsonb_object(ARRAY[{string.Join(", ", names)}]::pg_catalog.text[], ARRAY[{string.Join(", ", texts)}]"
            + "::pg_catalog.text[])";
    }

    private string Numbers(KeptPart part) => $"{Number(version)}, {Number(part.Statement + 1)}";

    private static string Kind(KeptPart part) => part.IsRows ? "row" : "values";

    private static string Name(KeptPart part) => SqlLiteral.Quote(part.Target.Table);

    private static string Quote(KeptColumn column) => SqlIdentifier.Quote(column.Name);

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
