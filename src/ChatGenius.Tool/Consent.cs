namespace ChatGenius.Tool;

/// <summary>Asks before something is done that can't be undone.</summary>
internal sealed class Consent(Shell shell, Settings settings, Report report)
{
    /// <summary>The option by which a destructive command is let through in a protected environment.</summary>
    public static CommandOption Option(CommandLineApplication app) => app.Option(
        "--protected-reason <TEXT>", "Why it may run in a protected environment, for the log", CommandOptionType.SingleValue);

    /// <summary>Refuses a destructive command in a protected environment, where no reason lets it through.</summary>
    /// <param name="command">The command's name.</param>
    /// <param name="reason">Why it may run there all the same; null where the command can't be let through, or nobody has said why.</param>
    /// <returns>The reason where it is one; null where none is needed.</returns>
    /// <exception cref="ProblemException">CG1009.</exception>
    public string? RefuseWhereProtected(string command, string? reason = null)
    {
        if (settings.IsProtected && string.IsNullOrWhiteSpace(reason))
        {
            throw new ProblemException(
                "CG1009", $"{Cli.Name} {command} is refused in the protected environment \"{settings.Environment!.Value}\"",
                advice: $"Choose another environment, or set \"protected\" to false in {settings.File!.Path} for as long as you need it.");
        }

        return settings.IsProtected ? reason : null;
    }

    /// <summary>Asks a question that <c>--yes</c> answers as well.</summary>
    /// <returns>Whether to go on; after a no, a note says that nothing was done.</returns>
    /// <exception cref="ProblemException">CG1008: no terminal and no <c>--yes</c>.</exception>
    public async Task<bool> AskAsync(string question, bool yes, CancellationToken cancellationToken)
    {
        if (yes)
        {
            return true;
        }

        if (!shell.InIsTerminal || !shell.ErrorIsTerminal)
        {
            throw new ProblemException("CG1008", $"There is no terminal to ask on: {question}", advice: "Add --yes if you are sure.");
        }

        report.Error.Write($"{report.ErrorStyle.Bold(Cells.Tame(question))} [y/N] ");

        // Reading a line can't be cancelled; Ctrl-C leaves the reader behind and goes on without it.
        var answer = await Task.Run(shell.ReadLine, cancellationToken).WaitAsync(cancellationToken);
        if (answer?.Trim().ToUpperInvariant() is "Y" or "YES")
        {
            return true;
        }

        report.Error.WriteLine("Nothing was done");
        return false;
    }
}
