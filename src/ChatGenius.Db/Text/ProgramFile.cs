namespace ChatGenius.Db.Text;

/// <summary>
/// Finds programs as a shell does, in the folders of PATH alone. .NET looks in the working folder first, and a project of others may hold a
/// program there that is called <c>git</c>.
/// </summary>
internal static class ProgramFile
{
    /// <summary>The full path of a program; null where PATH has none of this name.</summary>
    /// <param name="name">Its name, without a folder.</param>
    /// <param name="path">The value of PATH; this process's own where null.</param>
    public static string? Find(string name, string? path = null)
    {
        string[] endings = OperatingSystem.IsWindows()
            ? [.. (Environment.GetEnvironmentVariable("PATHEXT") ?? ".COM;.EXE;.BAT;.CMD").Split(';'), ""] : [""];
        return (path ?? Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Where(Path.IsPathFullyQualified).SelectMany(folder => endings.Select(ending => Path.Combine(folder, name + ending)))
            .FirstOrDefault(IsProgram);
    }

    /// <summary>The shell of the system, which runs a command line that a user has written.</summary>
    public static (string File, string Flag) Shell => OperatingSystem.IsWindows()
        ? (Path.Combine(Environment.SystemDirectory, "cmd.exe"), "/c") : ("/bin/sh", "-c");

    private static bool IsProgram(string file) => File.Exists(file) && (OperatingSystem.IsWindows()
        || (File.GetUnixFileMode(file) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0);
}
