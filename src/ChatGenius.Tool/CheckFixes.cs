using System.Text;
using ChatGenius.Db.Safety;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool;

/// <summary>Shows the safe way of migrations as a difference of files, asks, and writes it.</summary>
internal sealed class CheckFixes(Shell shell, Consent consent, Report report)
{
    /// <summary>Shows and writes what is left of fixes when they have been tried.</summary>
    /// <param name="fixes">From <see cref="Checker.FixAsync"/>.</param>
    /// <param name="yes">Whether not to ask.</param>
    /// <param name="cancellationToken">Ends the asking.</param>
    /// <exception cref="ProblemException">CG1008: nobody to ask; CG1208: a file can't be written, and none after it is.</exception>
    public async Task WriteAsync(IReadOnlyList<MigrationFix> fixes, bool yes, CancellationToken cancellationToken)
    {
        if (fixes.Count == 0)
        {
            report.Note("No finding has a safe way that could be written without you");
            return;
        }

        foreach (var fix in fixes)
        {
            foreach (var file in fix.Files)
            {
                Show(file, file.Version == fix.Migration.Version ? fix.Migration.Source : null);
            }
        }

        var files = fixes.SelectMany(fix => fix.Files).ToList();
        var changed = fixes.Count;
        var made = files.Count - changed;
        var what = $"Change {Plural.Of(changed, "file")}" + (made > 0 ? $" and write {Plural.Of(made, "new one")}" : "");
        if (!await consent.AskAsync($"{what}?", yes, cancellationToken))
        {
            return;
        }

        foreach (var file in files)
        {
            Write(file, overwrite: fixes.Any(fix => fix.Migration.Version == file.Version));
        }
    }

    private void Show(Migration file, SourceText? before)
    {
        var (old, now) = (Lines(before), Lines(file.Source));
        var same = old.Zip(now).TakeWhile(pair => pair.First == pair.Second).Count();
        var end = old.Skip(same).Reverse().Zip(now.Skip(same).Reverse()).TakeWhile(pair => pair.First == pair.Second).Count();
        report.Error.WriteLine(report.ErrorStyle.Bold(Cells.Tame(before is null ? $"{file.Source.Path} (new)" : file.Source.Path)));
        foreach (var line in old[same..^end])
        {
            report.Error.WriteLine(report.ErrorStyle.Red(Cells.Tame($"-{line}")));
        }

        foreach (var line in now[same..^end])
        {
            report.Error.WriteLine(report.ErrorStyle.Green(Cells.Tame($"+{line}")));
        }

        report.Error.WriteLine();
    }

    private static string[] Lines(SourceText? text) =>
        text is null ? [] : text.All().ReplaceLineEndings("\n").TrimEnd('\n').Split('\n');

    private void Write(Migration file, bool overwrite)
    {
        var path = file.Source.Path;
        try
        {
            WholeFile.Write(shell.Absolute(path), Encoding.UTF8.GetBytes(file.Source.All()), overwrite);
            report.Note($"Written to {path}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(
                "CG1208", $"{path} can't be written: {e.Message}", advice: "Check its path, its permissions and the space on its disk.",
                cause: e);
        }
    }
}
