namespace ChatGenius.Db.Files;

/// <summary>A file of the migrations folder, as <see cref="Renumbering.Plan"/> sees it.</summary>
/// <param name="Name">The file's name without its folder.</param>
/// <param name="Number">Its number.</param>
/// <param name="IsApplied">Whether the history has it; such a file stays where it is.</param>
internal sealed record NumberedFile(string Name, long Number, bool IsApplied);

/// <summary>A file's old and new name, without the folder.</summary>
internal sealed record NewNumber(string From, string To);

/// <summary>Moves the project's own migrations behind what came in by a merge or with a new version of the tool. Pure.</summary>
internal static class Renumbering
{
    /// <summary>Decides which files get which names. Numbers only grow, and files that move keep their order.</summary>
    /// <param name="files">The migrations of the folder.</param>
    /// <param name="taken">The numbers of the bundle, and those in the history whose file is not here.</param>
    /// <param name="move">
    /// The files to move, by name; empty leaves the choice to what is known: from the first file that is not applied and shares its number
    /// or is below an applied or bundled one, all that are not applied.
    /// </param>
    /// <param name="now">For projects that number by time.</param>
    /// <exception cref="ProblemException">CG0816: two files that are not applied share a number; CG0817: a named file is not there or is
    /// applied.</exception>
    public static IReadOnlyList<NewNumber> Plan(
        IReadOnlyList<NumberedFile> files, IReadOnlyCollection<long> taken, IReadOnlyCollection<string> move, DateTimeOffset now)
    {
        var moving = move.Count > 0 ? Named(files, move) : Chosen(files, taken);
        var others = files.Except(moving).Select(file => file.Number).Concat(taken).ToList();
        var result = new List<NewNumber>();
        var last = others.DefaultIfEmpty(0).Max();
        foreach (var file in moving.OrderBy(file => file.Number).ThenBy(file => file.Name, StringComparer.Ordinal))
        {
            if (file.Number > last)
            {
                last = file.Number;
                continue;
            }

            last = MigrationNumber.Next([last], now);
            var underscore = file.Name.IndexOf('_', StringComparison.Ordinal);
            result.Add(new NewNumber(file.Name, MigrationNumber.Format(last, underscore) + file.Name[underscore..]));
        }

        return result;
    }

    private static List<NumberedFile> Named(IReadOnlyList<NumberedFile> files, IReadOnlyCollection<string> names)
    {
        var problems = new List<Problem>();
        var found = new List<NumberedFile>();
        foreach (var name in names.Distinct())
        {
            switch (files.FirstOrDefault(file => file.Name == name))
            {
                case null:
                    problems.Add(new Problem("CG0817", $"There is no migration {name} in the folder",
                        Advice: "Name a file of the migrations folder."));
                    break;
                case { IsApplied: true }:
                    problems.Add(new Problem("CG0817", $"The migration {name} is applied, so it keeps its number",
                        Advice: "Name the others, or roll it back first."));
                    break;
                case var file:
                    found.Add(file);
                    break;
            }
        }

        return problems.Count == 0 ? found : throw new ProblemException(problems);
    }

    private static List<NumberedFile> Chosen(IReadOnlyList<NumberedFile> files, IReadOnlyCollection<long> taken)
    {
        var free = files.Where(file => !file.IsApplied).ToList();
        if (free.GroupBy(file => file.Number).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new ProblemException(
                "CG0816",
                $"The number {MigrationNumber.Format(twice.Key)} is taken by "
                    + $"{string.Join(" and ", twice.Select(file => file.Name).Order(StringComparer.Ordinal))}, and none of them is known "
                    + "to be applied",
                advice: $"Name your own, which is to move, as in {new ToolCall("renumber", twice.Last().Name)}.");
        }

        var settled = files.Where(file => file.IsApplied).Select(file => file.Number).Concat(taken).DefaultIfEmpty(0).Max();
        var first = free.Where(file => file.Number <= settled).Select(file => file.Number).DefaultIfEmpty(long.MaxValue).Min();
        return [.. free.Where(file => file.Number >= first)];
    }
}
