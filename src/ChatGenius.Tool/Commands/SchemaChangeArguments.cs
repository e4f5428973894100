using ChatGenius.Db.Schema;

namespace ChatGenius.Tool.Commands;

/// <summary>The options with which a command makes statements of a difference.</summary>
internal sealed class SchemaChangeArguments(CommandLineApplication app)
{
    private readonly CommandOption _renames =
        app.Option("--rename <RENAME>",
            "OLD=NEW: a table, type or column (schema.table.column) has another name (may be given several times)",
                CommandOptionType.MultipleValue);

    private readonly CommandOption _excluded =
        app.Option("--exclude <PATTERN>", "Leave out what has this name or key; * is anything (may be given several times)",
            CommandOptionType.MultipleValue);

    private readonly CommandOption _noConcurrently = app.Option("--no-concurrently", "Build and drop indexes in the short way",
        CommandOptionType.NoValue);

    private readonly CommandOption _single = app.Option("--single-transaction", "All in one transaction; implies --no-concurrently",
        CommandOptionType.NoValue);

    private readonly CommandOption _offline = app.Option("--offline", "Nobody uses the database: the short forms, which lock",
        CommandOptionType.NoValue);

    /// <summary>Patterns of what does not count.</summary>
    public IReadOnlyCollection<string> Excluded => [.. _excluded.Values.OfType<string>()];

    /// <summary>How statements are made.</summary>
    /// <exception cref="ProblemException">CG1006: a rename has no new name.</exception>
    public SchemaChangeOptions Options => new()
    {
        Renames = [.. _renames.Values.OfType<string>().Select(Rename)],
        Concurrently = !_noConcurrently.HasValue() && !_single.HasValue(),
        IsOffline = _offline.HasValue() || _single.HasValue(),
    };

    /// <summary>Prints the statements as a file that psql runs.</summary>
    /// <returns><see cref="ExitCode.Differs"/> where there are any.</returns>
    public ExitCode Show(Report report, IReadOnlyList<SchemaStatement> statements, string none)
    {
        var asked = statements.Count(s => s.Question is not null);
        if (report.Json)
        {
            report.Result(SchemaStatementsJson.Of(statements), JsonContext.Readable.SchemaStatementsJson);
        }
        else if (statements.Count > 0)
        {
            IEnumerable<string> texts = ["SET check_function_bodies = off;\n", .. statements.Select(s => s.ToString())];
            report.Result(string.Join('\n', _single.HasValue() ? ["BEGIN;\n", .. texts, "COMMIT;\n"] : texts).TrimEnd('\n'));
        }

        report.Note(statements.Count == 0 ? none : $"{statements.Count} statements, {asked} of which need a human");
        return statements.Count == 0 ? ExitCode.Done : ExitCode.Differs;
    }

    private static (string, string) Rename(string text) => text.IndexOf('=') is var at and > 0 && at + 1 < text.Length
        ? (text[..at], text[(at + 1)..])
        : throw new ProblemException("CG1006", $"--rename {text}: a rename is OLD=NEW",
            advice: "Write it as --rename public.users.name=full_name");
}

/// <summary>What <c>schema diff --sql --json</c> prints.</summary>
internal sealed record SchemaStatementsJson(IReadOnlyList<SchemaStatementJson> Statements)
{
    public static SchemaStatementsJson Of(IEnumerable<SchemaStatement> statements) =>
        new([.. statements.Select(s => new SchemaStatementJson(s.Sql, s.Question, s.IsAlone))]);
}

/// <param name="Question">What a human has to decide before it runs; absent where it is certain.</param>
/// <param name="Alone">Whether it can't run inside of a transaction.</param>
internal sealed record SchemaStatementJson(string Sql, string? Question, bool Alone);
