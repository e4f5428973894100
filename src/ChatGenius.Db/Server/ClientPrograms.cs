using System.ComponentModel;
using System.Globalization;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Server;

/// <summary>PostgreSQL's <c>pg_dump</c> and <c>pg_restore</c> of one version. They come without the server as well.</summary>
/// <param name="Folder">The folder that holds both.</param>
/// <param name="Major">The major version: 18 in 18.4.</param>
/// <param name="Version">The version as <c>pg_dump --version</c> gives it.</param>
internal sealed record ClientPrograms(string Folder, int Major, string Version)
{
    public string PgDump => Program(Folder, "pg_dump");

    public string PgRestore => Program(Folder, "pg_restore");

    /// <summary>
    /// Looks for the programs in the folder that was chosen, or else on PATH and in the usual places. pg_dump refuses a server that is
    /// newer than itself; of those that are not older the nearest is taken, because a server reads the archives of its own version for
    /// certain.
    /// </summary>
    /// <param name="chosen">A folder that the user chose, which then is the only one looked into; <c>CHATGENIUS_POSTGRES_BIN</c> where
    /// null.</param>
    /// <param name="major">The server's major version.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="ProblemException">CG1301: the chosen folder does not hold them, or older ones; CG1302: there are none, or only
    /// older ones.</exception>
    public static async Task<ClientPrograms> FindAsync(string? chosen, int major, CancellationToken cancellationToken)
    {
        chosen ??= Environment.GetEnvironmentVariable(PostgresBinaries.Variable);
        if (!string.IsNullOrEmpty(chosen))
        {
            var inside = await ReadAsync(chosen, cancellationToken);
            return inside is not null && inside.Major >= major ? inside : throw new ProblemException(
                "CG1301",
                $"The folder {chosen} holds {(inside is null ? "no pg_dump and pg_restore" : $"pg_dump {inside.Version}")}, and the "
                    + $"server is PostgreSQL {major}",
                advice: $"Name a folder that holds them in version {major} or later, or unset {PostgresBinaries.Variable} to have them "
                    + "looked for.");
        }

        var found = new List<ClientPrograms>();
        foreach (var folder in PostgresBinaries.Folders().Concat(["/opt/homebrew/opt/libpq/bin", "/usr/local/opt/libpq/bin"])
            .Distinct(StringComparer.Ordinal))
        {
            if (await ReadAsync(folder, cancellationToken) is { } programs)
            {
                found.Add(programs);
            }
        }

        return found.Where(p => p.Major >= major).MinBy(p => p.Major) ?? throw new ProblemException(
            "CG1302", $"The server is PostgreSQL {major}, and "
            + (found.MaxBy(p => p.Major) is { } newest ? $"the newest pg_dump on this machine is {newest.Version}"
            : "pg_dump is not on this machine"),
            advice: InstallAdvice(major));
    }

    private static async Task<ClientPrograms?> ReadAsync(string folder, CancellationToken cancellationToken)
    {
        var program = new FileInfo(Program(folder, "pg_dump"));
        var target = program.Exists ? program.ResolveLinkTarget(returnFinalTarget: true) ?? program : null;

        // Debian's pg_dump on PATH is a link to a script that chooses a version by the user's own files; the programs lie elsewhere.
        if (target is not { Exists: true } || target.Name != program.Name || !File.Exists(Program(folder, "pg_restore")))
        {
            return null;
        }

        try
        {
            var (exitCode, output) = await ServerAccount.Ourselves.RunAsync(program.FullName, ["--version"], "/", cancellationToken);
            var match = PostgresBinaries.VersionLine().Match(output);
            return exitCode == 0 && match.Success
                ? new ClientPrograms(folder, int.Parse(match.Groups["major"].Value, CultureInfo.InvariantCulture),
                match.Groups["version"].Value)
                : null;
        }
        catch (Win32Exception)
        {
            // Not a program that runs on this machine: the search goes on.
            return null;
        }
    }

    private static string InstallAdvice(int major)
    {
        (string Manager, string Command)[] linux =
        [
            ("apt-get", $"sudo apt-get install postgresql-client-{major}"), ("dnf", $"sudo dnf install postgresql{major}"),
            ("yum", $"sudo yum install postgresql{major}"), ("apk", $"sudo apk add postgresql{major}-client"),
            ("pacman", "sudo pacman -S postgresql"), ("zypper", $"sudo zypper install postgresql{major}"),
        ];
        var command = OperatingSystem.IsWindows() ? $"winget install PostgreSQL.PostgreSQL.{major}"
            : OperatingSystem.IsMacOS() ? $"brew install postgresql@{major}"
            : Array.Find(linux, l => ProgramFile.Find(l.Manager) is not null).Command;
        var install = command is null ? $"Install the client programs of PostgreSQL {major} or later" : $"Install it: {command}";
        return $"{install}; or name the folder that holds it with {PostgresBinaries.Variable}. PostgreSQL's own packages have every "
            + "version: https://www.postgresql.org/download";
    }

    private static string Program(string folder, string name) => Path.Combine(folder, OperatingSystem.IsWindows() ? name + ".exe" : name);
}
