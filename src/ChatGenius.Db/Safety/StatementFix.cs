using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Safety;

/// <summary>Where the safe way of a statement goes.</summary>
internal enum FixPlace
{
    /// <summary>In the statement's place.</summary>
    Here,

    /// <summary>Into a transaction of its own, after the rest of the migration.</summary>
    Own,

    /// <summary>After the rest of the migration, each statement by itself.</summary>
    OneByOne,
}

/// <summary>The safe way of one statement, where it can be written without knowing more than the statement and the catalog.</summary>
/// <param name="Place">Where it goes.</param>
/// <param name="Up">The statements, ended with semicolons.</param>
/// <param name="Name">What a file of its own is called.</param>
/// <param name="Down">What takes them back; empty where nothing has to.</param>
/// <param name="Undone">The index, constraint or column that a statement of the migration's down undoes; <paramref name="Down"/> takes
/// its place.</param>
/// <param name="Keeps">Whether the statement stays, and <paramref name="Up"/> is added.</param>
/// <param name="Added">What takes back an index that no statement of the migration made.</param>
internal sealed record StatementFix(
    FixPlace Place, string Up, string Name = "", string Down = "", string Undone = "", bool Keeps = false, string Added = "")
{
    /// <summary>The rules that have a mechanical fix.</summary>
    internal static readonly string[] Rules =
    [
        "L101", "L102", "L103", "L104", "L105", "L107", "L201", "L202", "L203", "L205", "L308", "L402", "L410", "F104", "M104",
        "S101",
    ];

    /// <summary>Whether the down has to run outside a transaction.</summary>
    internal bool DownAlone => Down.Contains(" CONCURRENTLY ", StringComparison.Ordinal);

    /// <summary>The safe way of a statement; null where it takes a person.</summary>
    /// <param name="s">The statement.</param>
    /// <param name="found">What was found about it.</param>
    internal static StatementFix? Of(StatementFacts s, IReadOnlyList<Finding> found)
    {
        var unserved = found.FirstOrDefault(finding => finding.Hazard.Id == "S101");
        return Find(s, found) is not { } fix ? unserved is null ? null : ServeForeignKey(s, unserved)
            : unserved is not null && fix.Place == FixPlace.OneByOne && ServeForeignKey(s, unserved) is { Keeps: true } index
                ? fix with
                {
                    Up = $"{index.Up}\n{fix.Up}", Down = $"{fix.Down}\n{index.Down}",
                    Added = index.Down.Replace("CONCURRENTLY ", "", StringComparison.Ordinal),
                }
                : fix;
    }

    private static StatementFix? Find(StatementFacts s, IReadOnlyList<Finding> found)
    {
        var text = s.Text;
        bool Has(string id) => found.Any(finding => finding.Hazard.Id == id);
        return Has("F104") ? Alone(s)
            : Has("L101") ? Index(s)
            : Has("L102") ? DropIndex(s)
            : Has("L107") && found.First(finding => finding.Hazard.Id == "L107") is var partitioned
                ? new StatementFix(FixPlace.OneByOne, partitioned.SafeWay, $"index_{partitioned.Subject}",
                    $"DROP INDEX IF EXISTS {partitioned.Subject};", partitioned.Subject)
            : Has("L103") && text.Find(1, "INDEX") + text.Find(1, "TABLE") + text.Find(1, "SCHEMA") > -3
                ? new StatementFix(FixPlace.OneByOne, After(s, text.Has("INDEX") ? "INDEX" : text.Has("TABLE") ? "TABLE" : "SCHEMA"),
                    "reindex")
            : Has("L104") || Has("L105") ? KeyUsingIndex(s)
            : Has("L201") || Has("L202") ? Validated(s)
            : Has("L203") ? NotNull(s)
            : Has("L205") ? ValidateLater(s)
            : Has("L308") ? new StatementFix(FixPlace.Here, After(s, "VIEW"))
            : Has("L410") && (text.Is("UPDATE") || text.Is("INSERT") || text.Is("DELETE"))
                ? new StatementFix(FixPlace.Own, $"{text.Statement.Text};",
                    text.Is("UPDATE") ? "update" : text.Is("INSERT") ? "fill" : "delete")
            : Has("L402") ? new StatementFix(FixPlace.Here,
                $"SET {(s.Migration.Migration.Up.Transactional ? "LOCAL " : "")}lock_timeout = '5s';\n{text.Statement.Text};")
            : Has("M104") && s.Migration.Migration.Up.Transactional && text.Is("SET")
                && !text.AtAny(1, "LOCAL", "TRANSACTION", "CONSTRAINTS")
                ? new StatementFix(FixPlace.Here, Insert(s, text.At(1, "SESSION") ? 1 : 0, "LOCAL", text.At(1, "SESSION") ? 1 : 0))
            : null;
    }

    /// <summary>What can't run in a transaction, as it is.</summary>
    private static StatementFix Alone(StatementFacts s)
    {
        var built = s.BuiltIndexes.Select(index => index.Index.Display).FirstOrDefault();
        return new StatementFix(FixPlace.OneByOne, $"{s.Text.Statement.Text};",
            built is null ? s.Text.Tokens[0].Text.ToLowerInvariant() : $"index_{built}",
            built is null ? "" : $"DROP INDEX CONCURRENTLY IF EXISTS {built};", built ?? "");
    }

    private static StatementFix? Index(StatementFacts s)
    {
        if (!s.Text.Is("CREATE") || s.BuiltIndexes.Select(built => built.Index).ToList() is not [var index])
        {
            return null;
        }

        // An index without a name gets the one that PostgreSQL chose; all else is as the file says it.
        var isNamed = s.Text.Tokens.TakeWhile(token => !token.Is("ON")).Any(token => token.Name == index.Name);
        return new StatementFix(FixPlace.OneByOne, isNamed ? After(s, "INDEX") : IndexRules.Concurrently(index), $"index_{index.Name}",
            $"DROP INDEX CONCURRENTLY IF EXISTS {index.Display};", index.Name);
    }

    private static StatementFix? DropIndex(StatementFacts s)
    {
        var gone = s.GoneIndexes.Select(index => index.Index).ToList();
        return s.Text.Is("DROP", "INDEX") && !s.Text.Has("CASCADE") && gone.TrueForAll(index => index.Kind == 'i')
            ? new StatementFix(FixPlace.OneByOne,
                string.Join('\n', gone.Select(index => $"DROP INDEX CONCURRENTLY IF EXISTS {index.Display};")), $"drop_{gone[0].Name}",
                string.Join('\n', gone.Select(IndexRules.Concurrently)), gone[0].Name)
            : null;
    }

    /// <summary>The index first, built while others write; the constraint then takes it over.</summary>
    private static StatementFix? KeyUsingIndex(StatementFacts s)
    {
        if (OnlyAdded(s) is not { } added)
        {
            return null;
        }

        List<string> up = [], down = [];
        foreach (var constraint in added.Where(constraint => constraint.Kind is 'p' or 'u'))
        {
            var (table, index) = (s.After.Find(constraint.Table)!, s.After.Find(constraint.Index)!);
            var nullable = s.ChangedColumns.Where(c => c.Table.Oid == table.Oid && !c.Before.NotNull && c.After.NotNull)
                .Select(c => c.After.Name).ToList();
            var name = SqlIdentifier.Quote(constraint.Name);
            up.AddRange(nullable.SelectMany(column => NotNull(table, column)));
            up.Add(IndexRules.Concurrently(index));
            up.Add($"ALTER TABLE {table.Display} ADD CONSTRAINT {name} {(constraint.Kind == 'p' ? "PRIMARY KEY" : "UNIQUE")} USING INDEX "
                + $"{SqlIdentifier.Quote(index.Name)}{Deferred(constraint)};");
            down.Add($"ALTER TABLE {table.Display} DROP CONSTRAINT IF EXISTS {name};");
            down.AddRange(nullable.Select(column => DropNotNull(table, column)));
        }

        return up.Count == 0 || added.Any(constraint => constraint.Kind is not ('p' or 'u')) ? null
            : new StatementFix(FixPlace.OneByOne, string.Join('\n', up), $"add_{added[0].Name}", string.Join('\n', down), added[0].Name);
    }

    private static StatementFix? Validated(StatementFacts s)
    {
        if (OnlyAdded(s) is not { } added || added.Any(constraint => constraint.Kind is not ('c' or 'f') || !constraint.Validated))
        {
            return null;
        }

        var table = s.After.Find(added[0].Table)!;
        var names = added.Select(constraint => SqlIdentifier.Quote(constraint.Name)).ToList();
        return table.Kind == 'p' && s.Migration.TargetVersion < 180000 && added.Any(constraint => constraint.Kind == 'f') ? null
            : new StatementFix(FixPlace.OneByOne,
                string.Join('\n', added.Select((constraint, i) =>
                    $"ALTER TABLE {table.Display} ADD CONSTRAINT {names[i]} {constraint.Definition} NOT VALID;"))
                + "\n" + string.Join('\n', names.Select(name => $"ALTER TABLE {table.Display} VALIDATE CONSTRAINT {name};")),
                $"add_{added[0].Name}",
                string.Join('\n', names.AsEnumerable().Reverse()
                    .Select(name => $"ALTER TABLE {table.Display} DROP CONSTRAINT IF EXISTS {name};")),
                added[0].Name);
    }

    private static StatementFix? ValidateLater(StatementFacts s)
    {
        if (s.ValidatedConstraints.ToList() is not [{ Table: > 0 } constraint])
        {
            return null;
        }

        var (table, name) = (s.After.Find(constraint.Table)!.Display, SqlIdentifier.Quote(constraint.Name));
        return new StatementFix(FixPlace.Own, $"{s.Text.Statement.Text};", $"validate_{constraint.Name}",
            $"ALTER TABLE {table}\n    DROP CONSTRAINT {name},\n    ADD CONSTRAINT {name} {constraint.Definition} NOT VALID;");
    }

    private static StatementFix? NotNull(StatementFacts s)
    {
        var changed = s.EnsuredNotNull.ToList();
        var isAll = s.Text.AlterTableActions().ToList() is { Count: > 0 } actions && actions.Count == changed.Count
            && actions.TrueForAll(action => InText.AltersColumn(s.Text, action.Start, "SET", "NOT", "NULL"));
        return isAll
            ? new StatementFix(FixPlace.OneByOne, string.Join('\n', changed.SelectMany(c => NotNull(c.Table, c.Column.Name))),
                $"require_{changed[0].Column.Name}_in_{changed[0].Table.Name}",
                string.Join('\n', changed.Select(c => DropNotNull(c.Table, c.Column.Name))), changed[0].Column.Name)
            : null;
    }

    /// <summary>The steps to NOT NULL that read no row under a strong lock. After an interruption they can run again.</summary>
    private static IEnumerable<string> NotNull(Relation table, string column)
    {
        var (name, quoted) = (Names.Made(table.Name, column, "not_null"), SqlIdentifier.Quote(column));
        return
        [
            $"ALTER TABLE {table.Display} DROP CONSTRAINT IF EXISTS {name};",
            $"ALTER TABLE {table.Display} ADD CONSTRAINT {name} CHECK ({quoted} IS NOT NULL) NOT VALID;",
            $"ALTER TABLE {table.Display} VALIDATE CONSTRAINT {name};",
            $"ALTER TABLE {table.Display} ALTER COLUMN {quoted} SET NOT NULL;",
            $"ALTER TABLE {table.Display} DROP CONSTRAINT {name};",
        ];
    }

    private static string DropNotNull(Relation table, string column) =>
        $"ALTER TABLE {table.Display} ALTER COLUMN {SqlIdentifier.Quote(column)} DROP NOT NULL;";

    private static StatementFix? ServeForeignKey(StatementFacts s, Finding finding)
    {
        var sql = finding.SafeWay.Split('\n').FirstOrDefault(line => line.StartsWith("CREATE INDEX", StringComparison.Ordinal));
        var name = sql?.Replace(" CONCURRENTLY", "", StringComparison.Ordinal).Split(' ')[2];
        return name is null ? null
            : sql!.Contains("CONCURRENTLY", StringComparison.Ordinal)
                ? new StatementFix(FixPlace.OneByOne, sql, $"index_{name}", $"DROP INDEX CONCURRENTLY IF EXISTS {name};", Keeps: true)
                : new StatementFix(FixPlace.Here, $"{s.Text.Statement.Text};\n{sql}");
    }

    /// <summary>The constraints that a statement adds and does nothing else; null for any other statement.</summary>
    private static List<Constraint>? OnlyAdded(StatementFacts s)
    {
        var actions = s.Text.AlterTableActions().ToList();
        var added = s.NewConstraints.Where(constraint => constraint.Parent == 0 && constraint.Kind != 'n').ToList();
        return actions.Count > 0 && actions.Count == added.Count && s.GoneConstraints.Count == 0 && s.NewColumns.Count == 0
            && actions.TrueForAll(action => s.Text.At(action.Start, "ADD") && !InText.AddsColumn(s.Text, action.Start)) ? added : null;
    }

    internal static string Deferred(Constraint constraint) =>
        constraint.Definition.IndexOf(" DEFERRABLE", StringComparison.Ordinal) is >= 0 and var at ? constraint.Definition[at..] : "";

    /// <summary>The statement with CONCURRENTLY after a word.</summary>
    private static string After(StatementFacts s, string word) => Insert(s, s.Text.Find(0, word), "CONCURRENTLY", 0);

    /// <summary>The statement with a word put in after another one, or in the place of some.</summary>
    private static string Insert(StatementFacts s, int index, string word, int replaced)
    {
        var (statement, (start, end)) = (s.Text.Statement, s.Text.PlaceOf(index));
        return statement.Source.Substring(statement.Start, replaced > 0 ? start : end) + (replaced > 0 ? "" : " ")
            + word + statement.Source.Substring(end, statement.End) + ";";
    }
}
