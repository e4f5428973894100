namespace ChatGenius.Tool;

/// <summary>Asks git which of the migrations that a problem is about is one's own: what settles it depends on that.</summary>
internal sealed class Ownership(Settings settings, Shell shell)
{
    /// <summary>The same problems, with the one command that settles each where git knows what is published.</summary>
    public async Task<IReadOnlyList<Problem>> AdviseAsync(IReadOnlyList<Problem> problems, CancellationToken cancellationToken)
    {
        var folder = shell.Absolute(settings.MigrationsFolder);
        try
        {
            if (await Git.BaseAsync(settings[SettingKey.Base].Value, folder, cancellationToken) is not { } published)
            {
                return problems;
            }

            var own = await Git.AddedSinceAsync(published, folder, cancellationToken);
            return [.. problems.Select(problem => problem with { Advice = Advise(problem, own, published) ?? problem.Advice })];
        }
        catch (ProblemException)
        {
            // git knows no such revision: then the advice is what it was.
            return problems;
        }
    }

    /// <returns>Null where whose they are says nothing more.</returns>
    private static string? Advise(Problem problem, HashSet<string> own, string published)
    {
        var names = problem.Files.Select(file => Path.GetFileName(file)!).ToList();
        if (names.Count < 2)
        {
            return null;
        }

        var (first, mine) = (names[0], names.Where(own.Contains).ToList());
        return (problem.Code, mine) switch
        {
            ("CG0305", [var one]) => $"{one} is yours, and {names.Find(name => name != one)} is on {published}: "
                + $"{new ToolCall("renumber")} moves yours after it, and its row in the history with it where it is applied; with "
                + "--reapply it undoes yours on the database instead, and applies both in their order.",
            ("CG0305", []) => $"Both are on {published}: agree with who wrote them which one moves, and rename that one there.",
            ("CG0403", _) when own.Contains(first) => $"It is yours: {new ToolCall("renumber")} moves it after what is applied.",
            ("CG0403", []) => $"It is on {published}, and so is what was applied before it: --allow-out-of-order applies it where it is.",
            ("CG0403", [var one, ..]) => $"It is on {published}, and {one} is yours, which was applied here first: "
                + $"{new ToolCall("renumber", "--reapply")} undoes yours, and applies both in their order. Where the order does not "
                + "matter, --allow-out-of-order applies it where it is.",
            _ => null,
        };
    }
}
