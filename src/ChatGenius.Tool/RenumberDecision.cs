namespace ChatGenius.Tool;

/// <summary>Decides which migrations get other numbers, of the files and of the history's rows. Pure.</summary>
/// <param name="bundle">The migrations of the bundle.</param>
/// <param name="applied">The history's rows; empty where no database is known.</param>
/// <param name="named">The files that the call names.</param>
/// <param name="added">The files that this branch has added; null where git says nothing.</param>
/// <param name="published">The revision that has what is published; null where none is known.</param>
internal sealed class RenumberDecision(
    IReadOnlyList<Migration> bundle, IReadOnlyList<AppliedMigration> applied, IReadOnlyList<string> named, HashSet<string>? added,
    string? published)
{
    /// <summary>Which files get which names.</summary>
    /// <param name="names">The files in the folder.</param>
    /// <exception cref="ProblemException">CG0816: it can't be known which are to move; CG0817: a named file keeps its number.</exception>
    public IReadOnlyList<NewNumber> Plan(IReadOnlyList<string> names)
    {
        RequireUnpublished(names);
        var files = Files(names);
        var move = named.Concat(published is not null && named.Count > 0 ? [] : files.Where(added is null ? _ => false : added.Contains))
            .ToList();
        if (added is not null && move.Count == 0)
        {
            return [];
        }

        // A file that is one's own moves although it is applied: its row moves with it.
        var rows = Rows(names, []).Select(row => row.From).Concat(files.Where(name => IsOwn(name) && IsApplied(name)).Select(Number));
        var taken = bundle.Select(migration => migration.Version).Concat(applied.Select(one => one.Version).Except(rows)).ToList();
        var numbered = files.Select(name => new NumberedFile(name, Number(name), IsApplied(name) && !IsOwn(name))).ToList();
        var plan = Renumbering.Plan(numbered, taken, move, DateTimeOffset.UtcNow);
        return added is not null || move.Count > 0 ? plan : RequireOwn(plan);
    }

    /// <summary>The rows of the history that get other numbers: those of files that move, and those whose file has moved already.</summary>
    public IReadOnlyList<MovedRow> Rows(IReadOnlyList<string> names, IReadOnlyList<NewNumber> renames)
    {
        var files = Files(names);
        var own = files.Where(IsOwn).ToList();
        var becomes = renames.ToDictionary(rename => rename.From, rename => Number(rename.To));
        var moving = own.Where(name => IsApplied(name) && becomes.ContainsKey(name))
            .Select(name => new MovedRow(Number(name), NameOf(name), becomes[name]));

        // What was killed between the two, or renamed by hand, is finished: the row has no file, and the file no row.
        var left = applied.Where(row => !files.Any(name => Is(name, row)))
            .Select(row => (Row: row, Files: own.Where(name => NameOf(name) == row.Name && Number(name) > row.Version).ToList()))
            .Where(one => one.Files is [var file] && !IsApplied(file))
            .Select(one => new MovedRow(one.Row.Version, one.Row.Name, becomes.GetValueOrDefault(one.Files[0], Number(one.Files[0]))));
        return [.. moving.Concat(left).OrderBy(row => row.From)];
    }

    /// <summary>The number down to which the database is to be undone, so that what is one's own can be applied after all else.</summary>
    /// <returns>Null where nothing of one's own is applied, or all is in order.</returns>
    public long? UndoneTo(IReadOnlyList<string> names, IReadOnlyList<NewNumber> renames)
    {
        var files = Files(names);
        var moved = Rows(names, renames).Select(row => row.From).ToHashSet();
        var own = applied.Where(row => moved.Contains(row.Version) || files.Any(name => IsOwn(name) && Is(name, row)))
            .Select(row => row.Version).ToList();
        var isOutOfOrder = own.Count > 0 && (renames.Count > 0
            || files.Any(name => !IsOwn(name) && !IsApplied(name) && Number(name) < own.Max()));
        return !isOutOfOrder ? null
            : applied.Select(row => row.Version).Where(version => version < own.Min()).DefaultIfEmpty(0).Max();
    }

    /// <summary>The project's migrations: one that is also in the bundle, under the same name, is the bundle's.</summary>
    private List<string> Files(IReadOnlyList<string> names) =>
    [
        .. names.Where(name => name.EndsWith(".sql", StringComparison.OrdinalIgnoreCase) && MigrationNumber.Of(name) is not null
            && !bundle.Any(migration => $"{migration.Id}.sql" == name)),
    ];

    private bool IsOwn(string name) => named.Contains(name) || added?.Contains(name) == true;

    private bool IsApplied(string name) => applied.Any(row => Is(name, row));

    /// <summary>The name tells two files of one number apart: the history has one of them.</summary>
    private static bool Is(string name, AppliedMigration row) => (Number(name), NameOf(name)) == (row.Version, row.Name);

    private static long Number(string name) => MigrationNumber.Of(name)!.Value;

    private static string NameOf(string name) =>
        Path.GetFileNameWithoutExtension(name)[(name.IndexOf('_', StringComparison.Ordinal) + 1)..];

    /// <summary>Others have what is on the base, and may have applied it: it keeps its number.</summary>
    private void RequireUnpublished(IReadOnlyList<string> names)
    {
        var theirs = published is null || added is null ? []
            : named.Where(name => names.Contains(name) && !added.Contains(name)).ToList();
        if (theirs.Count > 0)
        {
            throw new ProblemException([.. theirs.Select(name => new Problem(
                "CG0817", $"The migration {name} is on {published}, so it keeps its number",
                Advice: $"Move your own instead: {new ToolCall("renumber")} finds them, and moves what is applied on your database "
                    + "too."))]);
        }
    }

    /// <summary>Without git, a database alone doesn't say whose a file is: a development database may have only one's own.</summary>
    private IReadOnlyList<NewNumber> RequireOwn(IReadOnlyList<NewNumber> plan) =>
        plan.Count == 0 || bundle.Any(migration => migration.Version == Number(plan[0].From)) ? plan : throw new ProblemException(
            "CG0816", $"Nothing says whether {plan[0].From} is yours: git knows no origin/HEAD and no origin/main here, and no "
                + "main beside this branch",
            advice: $"Name your own, which are to move, as in {new ToolCall("renumber", plan[0].From)}; or set \"base\" in "
                + "chatgenius-db.json to the revision that has what is published.");
}
