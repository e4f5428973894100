using System.Text;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool.Output;

/// <summary>Writes a result to the file that <c>--output</c> names, or to stdout.</summary>
internal static class OutputFile
{
    /// <summary>Replaces the file as a whole.</summary>
    /// <exception cref="ProblemException">CG1105: the file can't be written.</exception>
    public static void Write(Shell shell, Report report, string? file, string text)
    {
        if (file is null or "-")
        {
            report.Document(text);
            return;
        }

        var path = shell.Absolute(file);
        try
        {
            WholeFile.Write(path, Encoding.UTF8.GetBytes(text), overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ProblemException(
                "CG1105", $"The file {shell.Shown(path)} can't be written: {e.Message}",
                advice: "Check its path, its permissions and the space on its disk.", cause: e);
        }

        report.Note($"Wrote {shell.Shown(path)}");
    }
}
