using System.Security.Cryptography;
using System.Text;

namespace ChatGenius.Db.Server;

/// <summary>Where a private server's Unix-domain socket lies: in a folder that nobody but its owner may enter.</summary>
internal static class SocketFolder
{
    // sun_path has 108 bytes on Linux and 104 on macOS and the BSDs, the closing zero included.
    private const int LongestSocketPath = 103;
    private const string SocketName = "/.s.PGSQL.5432";

    /// <summary>The folder, first choice first: beside the data, or in a place with a short name where the path would be too long for a
    /// socket.</summary>
    public static IEnumerable<string> Candidates(string serverFolder)
    {
        var beside = Path.Combine(serverFolder, "run");
        if (Encoding.UTF8.GetByteCount(beside + SocketName) <= LongestSocketPath)
        {
            yield return beside;
            yield break;
        }

        var name = $"chatgenius-db-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(serverFolder)).AsSpan(0, 8))}";
        if (!Environment.IsPrivilegedProcess && Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 and < 60 } runtime
            && Directory.Exists(runtime))
        {
            yield return Path.Combine(runtime, name);
        }

        yield return Path.Combine("/tmp", name);
    }

    /// <summary>
    /// A folder under /tmp may have been put there by somebody else: only its owner (or root) can set its mode, and a link is not followed.
    /// </summary>
    public static void Create(string folder, ServerAccount account)
    {
        if (new DirectoryInfo(folder).LinkTarget is not null)
        {
            throw new IOException($"{folder} is a symbolic link");
        }

        Directory.CreateDirectory(folder);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        account.Own(folder);
    }
}
