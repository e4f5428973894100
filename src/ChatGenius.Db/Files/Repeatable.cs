using System.Text;
using System.Text.RegularExpressions;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Files;

/// <summary>
/// Views, functions, triggers, policies and grants that are edited in place: plain SQL in <c>repeatable/*.sql</c>, which runs again
/// whenever its checksum is another one. Each is a <see cref="Migration"/> without a number and without a way back.
/// </summary>
internal static partial class Repeatable
{
    /// <summary>The folder, in that of the migrations.</summary>
    public const string FolderName = "repeatable";

    private static readonly string[] OfMigrations = ["migrate:up", "migrate:down", "cgdb:require", "cgdb:ensure"];

    /// <summary>Reads the files of a folder of migrations, in the order of their names; the folder need not be there.</summary>
    /// <param name="migrations">The folder of the migrations.</param>
    /// <param name="problems">Gets all problems of all files: CG0102 to CG0105, CG02xx, CG0302, CG0328 to CG0331.</param>
    public static IReadOnlyList<Migration> Load(string migrations, List<Problem> problems)
    {
        var read = new List<Migration>();
        foreach (var path in List(Path.Combine(migrations, FolderName), problems))
        {
            try
            {
                read.Add(From(SourceText.Read(path), problems));
            }
            catch (ProblemException e)
            {
                problems.AddRange(e.Problems);
            }
        }

        return read;
    }

    /// <summary>Reads the repeatable objects of folders, and the migrations; what is wrong with either is reported together.</summary>
    /// <param name="folders">The migrations folders.</param>
    /// <param name="load">Reads the migrations.</param>
    /// <param name="repeatables">Gets the repeatable objects, by name.</param>
    public static IReadOnlyList<Migration> Together(
        IEnumerable<string> folders, Func<IReadOnlyList<Migration>> load, out IReadOnlyList<Migration> repeatables)
    {
        var problems = new List<Problem>();
        repeatables = [.. folders.SelectMany(folder => Load(folder, problems)).OrderBy(one => one.Name, StringComparer.Ordinal)];
        try
        {
            return load() is var migrations && problems.Count == 0 ? migrations : throw new ProblemException(problems);
        }
        catch (ProblemException e) when (problems.Count > 0 && !ReferenceEquals(e.Problems, problems))
        {
            throw new ProblemException([.. e.Problems, .. problems]);
        }
    }

    /// <summary>Takes a text for one, as it is in a file or as the history has kept it.</summary>
    public static Migration From(SourceText source, List<Problem> problems)
    {
        var length = source.Utf8.Length;
        var (before, found) = (problems.Count, new List<Problem>());
        var script = SqlScript.Parse(source, 0, length, comment => IsOfMigrations(source, comment, found), problems);
        problems.AddRange(found);
        foreach (var statement in script.Statements)
        {
            if (statement.TransactionControl != SqlTransactionControl.None)
            {
                problems.Add(new Problem(
                    "CG0329", $"{statement.Words(1)[0]} in a repeatable object, which runs in a transaction", statement.Location,
                    "Take it out. What has to run outside of a transaction belongs in a migration that says transaction:false."));
            }
            else if (statement.Is("DROP") && new StatementText(statement).Has("CASCADE"))
            {
                problems.Add(new Problem(
                    "CG0331", "DROP … CASCADE in a repeatable object takes away whatever depends on it, each time that this file changes",
                    statement.Location,
                    "Take CASCADE out: views that depend on it are made again by themselves, and what else does is named before "
                        + "anything is lost."));
            }
        }

        if (problems.Count == before && script.Statements.Count == 0)
        {
            problems.Add(new Problem(
                "CG0328", $"{source.Path} has no statement", source.At(0),
                "Write the object, or delete the file; what it made stays in the database until a migration drops it."));
        }

        return new Migration(
            0, Path.GetFileNameWithoutExtension(source.Path), MigrationOrigin.Folder, source,
            new MigrationSection(Transactional: true, Irreversible: false, Start: 0, script),
            new MigrationSection(Transactional: true, Irreversible: true, length, SqlScript.Parse(source, length, length)));
    }

    /// <summary>Puts those that name what another one creates after that one, as far as the texts tell; for where nothing can be tried
    /// again.</summary>
    /// <returns>The order; whether it holds only where the bodies of functions are not looked into
    /// (<c>check_function_bodies = off</c>); and those whose order can't be told, because they name each other.</returns>
    public static (IReadOnlyList<T> Ordered, bool PassesOverBodies, IReadOnlyList<T> Unknown) InOrder<T>(
        IReadOnlyList<T> all, Func<T, SqlScript> script)
    {
        // Every word counts at first. Where that leads in a circle, words that need not be names of the object are left out: those in
        // comments and strings, and a function's that is not called.
        var makers = all.SelectMany((one, i) => script(one).Statements.Select(Made).OfType<CreatedObject>().Select(made => (made, i)))
            .ToLookup(maker => maker.made.Name.Name.ToLowerInvariant());
        var words = Order(i => script(all[i]).Statements.SelectMany(statement => WordsOf(statement.Text)).Distinct()
            .SelectMany(word => makers[word].Select(maker => maker.i)));
        if (words.Unknown.Count == 0)
        {
            return (Of(words.Order), false, []);
        }

        var names = Order(i => script(all[i]).Statements.SelectMany(statement => Named(statement, makers)));
        return (Of(names.Order), true, Of(names.Unknown));

        IReadOnlyList<T> Of(IEnumerable<int> places) => [.. places.Select(i => all[i])];

        (List<int> Order, SortedSet<int> Unknown) Order(Func<int, IEnumerable<int>> needs)
        {
            var (order, seen, path, unknown) = (new List<int>(), new HashSet<int>(), new List<int>(), new SortedSet<int>());
            for (var i = 0; i < all.Count; i++)
            {
                Visit(i);
            }

            return (order, unknown);

            void Visit(int at)
            {
                if (path.IndexOf(at) is >= 0 and var start)
                {
                    unknown.UnionWith(path[start..]);
                }
                else if (seen.Add(at))
                {
                    path.Add(at);
                    foreach (var other in needs(at).Where(other => other != at).Distinct().Order())
                    {
                        Visit(other);
                    }

                    path.RemoveAt(path.Count - 1);
                    order.Add(at);
                }
            }
        }
    }

    /// <summary>The makers of what a statement names: a function where it is called or said to be one, anything else wherever its name
    /// is. The bodies of functions are not looked into; a <c>DO</c> runs its own.</summary>
    private static IEnumerable<int> Named(SqlStatement statement, ILookup<string, (CreatedObject Made, int At)> makers)
    {
        var text = new StatementText(statement);
        return statement.Is("DO") || !text.IsWhole ? WordsOf(statement.Text).SelectMany(word => makers[word].Select(maker => maker.At))
            : text.Tokens.SelectMany((token, i) => token.Name is not { } name ? []
                : makers[name.ToLowerInvariant()].Where(maker => maker.Made.Kind is not ("function" or "procedure" or "aggregate")
                    || text.At(i + 1, "(") || text.AtAny(i - 1, "FUNCTION", "PROCEDURE", "ROUTINE", ".")).Select(maker => maker.At));
    }

    /// <summary>What a statement creates that others may need: <see cref="CreatedBy"/>, and what else a file can make.</summary>
    private static CreatedObject? Made(SqlStatement statement)
    {
        var text = new StatementText(statement);
        var at = text.At(1, "OR", "REPLACE") ? 3 : text.At(1, "MATERIALIZED") ? 2 : 1;
        return CreatedBy(statement) ?? (text.CreatedTableName is { } table ? new CreatedObject("table", table, null)
            : statement.Is("CREATE") && text.AtAny(at, "AGGREGATE", "TYPE", "DOMAIN", "VIEW", "SEQUENCE", "COLLATION", "SCHEMA")
                && text.NameAt(text.SkipGuards(at + 1)) is { } name
            ? new CreatedObject(text.Tokens[at].Text.ToLowerInvariant(), name, null) : null);
    }

    /// <summary>The objects that statements create: views, functions, procedures, triggers and policies.</summary>
    public static IEnumerable<CreatedObject> Created(SqlScript script) =>
        script.Statements.Select(CreatedBy).OfType<CreatedObject>();

    /// <summary>The object that a statement creates; null for any other statement.</summary>
    public static CreatedObject? CreatedBy(SqlStatement statement)
    {
        if (!statement.Is("CREATE"))
        {
            return null;
        }

        var text = new StatementText(statement);
        var at = text.At(1, "OR", "REPLACE") ? 3 : 1;
        while (text.AtAny(at, "TEMP", "TEMPORARY", "RECURSIVE", "CONSTRAINT"))
        {
            at++;
        }

        var kind = text.AtAny(at, "VIEW", "FUNCTION", "PROCEDURE", "TRIGGER", "POLICY") ? text.Tokens[at].Text.ToLowerInvariant() : null;
        if (kind is null || text.NameAt(at + 1) is not { } name)
        {
            return null;
        }

        var table = kind is "trigger" or "policy" ? text.NameAt(text.SkipGuards(text.Find(name.Next, "ON") + 1)) : null;
        return new CreatedObject(kind, name, table);
    }

    /// <summary>The statement that drops what another one creates; null where that creates none of <see cref="Created"/>.</summary>
    public static string? DropOf(SqlStatement statement) => CreatedBy(statement) is not { } made ? null
        : $"DROP {made.Kind.ToUpperInvariant()} IF EXISTS {made.Name.Sql}"
            + (made.Table is { } table ? $" ON {table.Sql}"
                : made.Kind == "view" ? "" : Arguments(new StatementText(statement), made.Name));

    /// <summary>A function's parameters as DROP takes them: as they are written, without what they are by default.</summary>
    private static string Arguments(StatementText text, StatementName name)
    {
        if (!text.At(name.Next, "("))
        {
            return "";
        }

        var (end, depth) = (text.Closing(name.Next), text.Tokens[name.Next].Depth + 1);
        var (kept, isDefault) = (new StringBuilder("("), false);
        for (var i = name.Next + 1; i < end; i++)
        {
            var isNext = text.Tokens[i].Depth == depth && text.At(i, ",");
            isDefault = !isNext && (isDefault || (text.Tokens[i].Depth == depth && text.AtAny(i, "DEFAULT", "=", ":=")));
            var (from, to) = text.PlaceOf(i);
            kept.Append(isDefault ? "" : " " + text.Statement.Source.Substring(from, to));
        }

        return kept.Append(')').ToString();
    }

    /// <summary>What belongs to a migration would be passed over here, or run in the wrong direction.</summary>
    private static bool IsOfMigrations(SourceText source, SqlToken comment, List<Problem> problems)
    {
        var words = Encoding.UTF8.GetString(source.Utf8.Span[(comment.Start + 2)..comment.End]).TrimStart();
        if (OfMigrations.FirstOrDefault(mark => words.StartsWith(mark, StringComparison.OrdinalIgnoreCase)) is { } mark)
        {
            problems.Add(new Problem(
                "CG0330", $"-- {mark} belongs to a migration: a repeatable object is plain SQL", source.At(comment.Start, comment.Length),
                "Take the line out, and what is to undo it too; or give the file a number and move it to the migrations."));
        }

        return false;
    }

    /// <summary>The words of a text, in lower case, in which names are looked for.</summary>
    public static HashSet<string> WordsOf(string text) => [.. Words().Matches(text).Select(match => match.Value.ToLowerInvariant())];

    [GeneratedRegex(@"[\p{L}_][\p{L}\p{N}_$]*")]
    private static partial Regex Words();

    [GeneratedRegex(@"^[\p{L}\p{N}_][\p{L}\p{N}_. -]*\.sql\z")]
    private static partial Regex Name();

    private static IEnumerable<string> List(string folder, List<Problem> problems)
    {
        try
        {
            var below = new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 4, IgnoreInaccessible = false };
            var files = !Directory.Exists(folder) ? []
                : Directory.EnumerateFiles(folder, "*", below).Where(path => path.EndsWith(".sql", StringComparison.OrdinalIgnoreCase)
                    && !Path.GetFileName(path).StartsWith('.')).OrderBy(Path.GetFileNameWithoutExtension, StringComparer.Ordinal).ToList();
            var inFolder = files.ToLookup(path => Path.GetDirectoryName(path) == folder);
            problems.AddRange(files.Where(path => !Name().IsMatch(Path.GetFileName(path))).Select(path => new Problem(
                "CG0303", $"{path}: a repeatable object can't have this name",
                Advice: "Name it with letters, digits, underscores, hyphens, blanks and dots, and .sql at the end.")));
            problems.AddRange(inFolder[false].Select(path => new Problem(
                "CG0302", $"{path} is in a folder below {folder}, where files are not read", Advice: $"Move it to {folder}.")));
            return inFolder[true];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problems.Add(new Problem("CG0302", $"The folder {folder} can't be read: {e.Message}",
                Advice: "Check the path and its permissions."));
            return [];
        }
    }
}

/// <summary>An object that a statement creates.</summary>
/// <param name="Kind"><c>view</c>, <c>function</c>, <c>procedure</c>, <c>trigger</c> or <c>policy</c>.</param>
/// <param name="Name">As the statement writes it.</param>
/// <param name="Table">Whose it is: only a trigger and a policy have one.</param>
internal sealed record CreatedObject(string Kind, StatementName Name, StatementName? Table)
{
    /// <summary>Whether it can be an object of the catalog, whose schema the statement may have left to the <c>search_path</c>.</summary>
    public bool MayBe(string kind, string schema, string name, string? table) =>
        Kind == kind && name == Name.Name && (Table ?? Name) is var place && (place.Schema is null || place.Schema == schema)
        && (Table is null || Table.Value.Name == table);
}
