using System.ComponentModel;
using System.Globalization;
using System.Text.RegularExpressions;

namespace ChatGenius.Db.Server;

/// <summary>PostgreSQL's programs on this machine: a folder with <c>postgres</c>, <c>initdb</c> and <c>pg_ctl</c>.</summary>
internal sealed partial class PostgresBinaries
{
    /// <summary>The environment variable that names the folder.</summary>
    public const string Variable = "CHATGENIUS_POSTGRES_BIN";

    /// <summary>The oldest major version that is used; DROP DATABASE … WITH (FORCE) came with it.</summary>
    public const int OldestMajor = 13;

    private static readonly string[] Programs = ["postgres", "initdb", "pg_ctl"];

    private PostgresBinaries(string folder, int major, string version)
    {
        Folder = folder;
        Major = major;
        Version = version;
    }

    /// <summary>The folder, links resolved.</summary>
    public string Folder { get; }

    /// <summary>The major version: 18 in 18.4.</summary>
    public int Major { get; }

    /// <summary>The version as <c>postgres --version</c> gives it, with what a distribution adds to it.</summary>
    public string Version { get; }

    /// <summary>The program that creates a data directory.</summary>
    internal string InitDb => Program(Folder, "initdb");

    /// <summary>The program that starts a server in a session of its own, so that a Ctrl-C on our terminal does not reach it.</summary>
    internal string PgCtl => Program(Folder, "pg_ctl");

    /// <summary>Looks for PostgreSQL: the folder that was chosen, then PATH and the usual places, then the tool's cache.</summary>
    /// <param name="chosen">A folder that the user chose, which then is the only one looked into; <c>CHATGENIUS_POSTGRES_BIN</c> where
    /// null.</param>
    /// <param name="cache">The folder into which <see cref="NpmPackage"/> installs.</param>
    /// <param name="major">The major version that is needed, or null for any.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="ProblemException">CG0701: the chosen folder does not hold PostgreSQL.</exception>
    internal static async Task<PostgresBinaries?> FindAsync(string? chosen, string cache, int? major, CancellationToken cancellationToken)
    {
        chosen ??= Environment.GetEnvironmentVariable(Variable);
        if (!string.IsNullOrEmpty(chosen))
        {
            return await ReadAsync(chosen, cancellationToken) ?? throw new ProblemException(
                "CG0701", $"The folder {chosen} does not hold PostgreSQL {OldestMajor} or later: postgres, initdb and pg_ctl, all three",
                advice: $"Name PostgreSQL's bin folder, such as /usr/lib/postgresql/18/bin, or unset {Variable}.");
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var folder in Folders().Append(NpmPackage.BinFolder(cache)))
        {
            if (File.Exists(Program(folder, "postgres")) && seen.Add(Resolve(folder))
                && await ReadAsync(folder, cancellationToken) is { } found && (major is null || found.Major == major))
            {
                return found;
            }
        }

        return null;
    }

    /// <summary>A program called postgres may be anything: only what names itself PostgreSQL and has its companions is taken.</summary>
    internal static async Task<PostgresBinaries?> ReadAsync(string folder, CancellationToken cancellationToken)
    {
        folder = Resolve(folder);
        if (!Array.TrueForAll(Programs, p => File.Exists(Program(folder, p))))
        {
            return null;
        }

        try
        {
            var account = await ServerAccount.ChooseAsync(cancellationToken);
            var (exitCode, output) = await account.RunAsync(Program(folder, "postgres"), ["--version"], "/", cancellationToken);
            var match = VersionLine().Match(output);
            if (exitCode == 0 && match.Success && int.Parse(match.Groups["major"].Value, CultureInfo.InvariantCulture) is >= OldestMajor
                and var major)
            {
                return new PostgresBinaries(folder, major, match.Groups["version"].Value);
            }
        }
        catch (Win32Exception)
        {
            // Not a program that runs on this machine, or not one for this user: the search goes on.
        }

        return null;
    }

    /// <summary>Where PostgreSQL's programs may be: the folders of PATH, then the usual places, the highest version first.</summary>
    internal static IEnumerable<string> Folders() => PathFolders().Concat(UsualFolders());

    private static IEnumerable<string> PathFolders() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Where(Path.IsPathRooted);

    private static IEnumerable<string> UsualFolders()
    {
        if (OperatingSystem.IsWindows())
        {
            return Newest(Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles), "PostgreSQL"), "*", "bin");
        }

        return OperatingSystem.IsMacOS()
            ? [
                .. Newest("/opt/homebrew/opt", "postgresql@*", "bin"), .. Newest("/usr/local/opt", "postgresql@*", "bin"),
                .. Newest("/Applications/Postgres.app/Contents/Versions", "*", "bin"), .. Newest("/Library/PostgreSQL", "*", "bin"),
            ]
            : [
                .. Newest("/usr/lib/postgresql", "*", "bin"), .. Newest("/usr", "pgsql-*", "bin"),
                .. Newest("/usr/libexec", "postgresql*", ""),
                "/usr/local/pgsql/bin", .. Newest("/home/linuxbrew/.linuxbrew/opt", "postgresql@*", "bin"),
            ];
    }

    /// <summary>The folders whose name ends with a version number, the highest first.</summary>
    private static IEnumerable<string> Newest(string parent, string pattern, string below) =>
        !Directory.Exists(parent)
            ? []
            : Directory.GetDirectories(parent, pattern)
                .OrderByDescending(d => int.TryParse(LastNumber().Match(d).Value, NumberStyles.None, CultureInfo.InvariantCulture,
                out var n) ? n : 0)
                .Select(d => Path.Combine(d, below));

    /// <summary>On PATH there may be links to the programs; their companions and libraries lie where the links lead to.</summary>
    private static string Resolve(string folder)
    {
        var program = new FileInfo(Program(folder, "postgres"));
        var target = program.Exists ? program.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? program.FullName : null;
        return target is null ? folder : Path.GetDirectoryName(target)!;
    }

    private static string Program(string folder, string name) => Path.Combine(folder, OperatingSystem.IsWindows() ? name + ".exe" : name);

    [GeneratedRegex(@"\(PostgreSQL\) (?<version>(?<major>\d+)\S*(?: \(.*\))?)")]
    internal static partial Regex VersionLine();

    [GeneratedRegex(@"\d+(?=\D*$)")]
    private static partial Regex LastNumber();
}
