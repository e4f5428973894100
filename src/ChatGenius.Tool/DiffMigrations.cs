using System.Text;
using System.Text.RegularExpressions;
using ChatGenius.Db.Replay;
using ChatGenius.Db.Schema;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool;

/// <summary>Writes migrations into the project from a difference of schemas, for <c>new</c> and <c>drift</c>.</summary>
internal sealed partial class DiffMigrations(
    TargetFinder targets, Settings settings, AppliedMigrations history, LastNew last, Report report)
{
    /// <summary>Writes what a schema has beyond the migrations.</summary>
    /// <param name="name">The files' name.</param>
    /// <param name="chain">The migrations.</param>
    /// <param name="wanted">The schema.</param>
    /// <param name="options">What counts.</param>
    /// <param name="shadow">Where they are replayed; null for the private server.</param>
    /// <param name="numbering">The files' numbers.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<ExitCode> WriteAsync(
        string name, IReadOnlyList<Migration> chain, SchemaSnapshot wanted, SchemaMigrationOptions options, string? shadow,
        Numbering numbering, CancellationToken cancellationToken)
    {
        RequireName(name);
        var written = await new SchemaMigrations(Replayer(shadow), chain, options).WriteAsync(wanted, name, cancellationToken);
        if (written.Count == 0)
        {
            report.Result(new DoneJson("nothing"), JsonContext.Readable.DoneJson);
            report.Result("The migrations make that schema: there is nothing to write");
            return ExitCode.Done;
        }

        var applied = await history.TryReadAsync(cancellationToken);
        var taken = applied.Select(migration => $"{MigrationNumber.Format(migration.Version)}_{migration.Name}.sql")
            .Concat(settings.Bundle ? MigrationNumber.OfBundle() : []).ToList();
        var paths = await new MigrationFolder(settings.MigrationsFolder).AddAsync(written, taken, numbering, cancellationToken);
        last.Keep(paths);
        SayWhatIsWritten(paths, written.Select(one => one.Text), name);
        report.Note($"Where all this is already, as on a database that it was read from, {new ToolCall("baseline", "--to",
            $"{MigrationNumber.Of(Path.GetFileName(paths[^1]))}")} marks it as applied; elsewhere 'apply' brings it");
        return ExitCode.Done;
    }

    private void SayWhatIsWritten(IReadOnlyList<string> paths, IEnumerable<string> texts, string name)
    {
        foreach (var path in paths)
        {
            report.Result(path);
        }

        var asked = paths.Zip(texts, (path, text) => (Path: path, Questions: TodoLine().Count(text)))
            .Where(one => one.Questions > 0).ToList();
        if (asked.Count > 0)
        {
            report.Note($"{Plural.Of(asked.Sum(one => one.Questions), "question")} in it: answer each, take the line away, and apply takes "
                + "the file (CG1408). Where the answer is no, take the down section out too: "
                + $"{new ToolCall("new", "--down", Path.GetFileName(asked[^1].Path))} writes it again", label: "note");
        }

        report.Result(
            new DoneJson("written") { Name = name, Files = [.. paths.Select(path => new DoneFileJson(path, null))] },
            JsonContext.Readable.DoneJson);
    }

    /// <summary>Writes the down section of a file that has none, or an empty one.</summary>
    public async Task<ExitCode> WriteDownAsync(
        string path, string source, Func<IReadOnlyList<Migration>> load, SchemaMigrationOptions options, string? shadow,
        CancellationToken cancellationToken)
    {
        var text = Encoding.UTF8.GetString((await SourceText.ReadAsync(path, cancellationToken: cancellationToken)).Utf8.Span);
        var at = DownLine().Match(text);
        if (at.Success && text[(at.Index + at.Length)..].Split('\n').Any(line => line.Trim() is { Length: > 0 } rest
            && !rest.StartsWith("--", StringComparison.Ordinal)))
        {
            throw new ProblemException("CG1407", $"{source} has a down section", advice: "Take it out first, to have another one written.");
        }

        var upText = (at.Success ? text[..at.Index] : text).TrimEnd('\n') + "\n";
        var file = MigrationParser.Parse(SourceText.From(path, $"{upText}\n-- migrate:down irreversible:true\n"), MigrationOrigin.Folder);
        var chain = load().Where(migration => migration.Version < file.Version).ToList();
        var down = await DownAsync(file.Up, chain, options, shadow, cancellationToken);
        WholeFile.Write(path, Encoding.UTF8.GetBytes($"{upText}\n{down}"), overwrite: true);
        SayWhatIsWritten([source], [down], source);
        return ExitCode.Done;
    }

    /// <summary>What undoes an up section on what the migrations before it make.</summary>
    public Task<string> DownAsync(
        MigrationSection up, IReadOnlyList<Migration> chain, SchemaMigrationOptions options, string? shadow,
        CancellationToken cancellationToken) =>
        new SchemaMigrations(Replayer(shadow), chain, options).DownAsync(up, cancellationToken);

    private Replayer Replayer(string? shadow) => targets.Replayer(shadow, new ReplayOptions());

    private static void RequireName(string name)
    {
        if (!Name().IsMatch(name))
        {
            throw new ProblemException("CG0801", $"\"{name}\" can't be a migration's name",
                advice: "Use the letters a to z, digits and _.");
        }
    }

    [GeneratedRegex("^[a-z0-9][a-z0-9_]{0,99}$")]
    private static partial Regex Name();

    [GeneratedRegex("^-- cgdb:todo ", RegexOptions.Multiline)]
    private static partial Regex TodoLine();

    [GeneratedRegex("^-- migrate:down.*\n?", RegexOptions.Multiline)]
    private static partial Regex DownLine();
}
