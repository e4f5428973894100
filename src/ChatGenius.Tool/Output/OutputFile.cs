using ChatGenius.Db;

namespace ChatGenius.Tool.Output;

/// <summary>Writes a result to the file that <c>--output</c> names, or to stdout.</summary>
internal static class OutputFile
{
    /// <summary>Replaces the file as a whole: whoever reads it meanwhile sees the old text or the new one, and a full disk leaves the old one.</summary>
    /// <exception cref="ProblemException">CG1105: the file can't be written.</exception>
    public static async Task WriteAsync(Shell shell, Report report, string? file, string text, CancellationToken cancellationToken)
    {
        if (file is null or "-")
        {
            await shell.Out.WriteAsync(text.AsMemory(), cancellationToken).ConfigureAwait(false);
            return;
        }

        var path = shell.Absolute(file);
        var draft = $"{path}.{Environment.ProcessId}.tmp";
        try
        {
            await File.WriteAllTextAsync(draft, text, cancellationToken).ConfigureAwait(false);
            File.Move(draft, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ProblemException(
                new Problem("CG1105", $"The file {shell.Shown(path)} can't be written: {e.Message}", Advice: "Check that its folder is there and writable."), e);
        }
        finally
        {
            // It is there only where writing it or moving it failed.
            if (File.Exists(draft))
            {
                File.Delete(draft);
            }
        }

        report.Note($"Wrote {shell.Shown(path)}");
    }
}
