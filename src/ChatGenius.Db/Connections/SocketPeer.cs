using ChatGenius.Db.Text;

namespace ChatGenius.Db.Connections;

/// <summary>
/// Who may be at the other end of a Unix-domain socket. libpq asks the system for the peer after it has connected; Npgsql gives nobody the
/// time for that before it sends a password, so the owner of the socket's file is looked at before: the server makes that file.
/// </summary>
/// <param name="Required">The user that <c>requirepeer</c> names; null for none.</param>
/// <param name="IsChosen">Whether we have chosen the socket, because the connection string names no host.</param>
internal sealed record SocketPeer(string? Required, bool IsChosen)
{
    /// <summary>In this folder every user can make a socket.</summary>
    internal const string OpenFolder = "/tmp";

    /// <summary>The folders that PostgreSQL's packages are built with.</summary>
    private static readonly string[] Folders = ["/var/run/postgresql", "/run/postgresql"];

    /// <summary>The folder of the socket where no host is named: as libpq, but that one in <c>/tmp</c> has to belong to somebody who may be
    /// trusted.</summary>
    /// <param name="isThere">Whether there is a socket in a folder.</param>
    /// <param name="isTrusted">Whether there is one of root, of postgres or of ourselves.</param>
    internal static string ChooseFolder(Func<string, bool> isThere, Func<string, bool> isTrusted) =>
        Array.Find(Folders, folder => isThere(folder)) ?? (isTrusted(OpenFolder) ? OpenFolder
            : Array.Find(Folders, Directory.Exists) ?? OpenFolder);

    /// <summary>Whether a file belongs to root, to postgres or to ourselves.</summary>
    internal static bool IsTrusted(string socket) =>
        UnixFile.Of(socket) is { } file && (file.Owner is 0 || file.Owner == UnixFile.Ourselves || file.Owner == UserNumber("postgres"));

    /// <summary>Looks at a socket before something secret goes through it. One that is not there fails by itself.</summary>
    /// <exception cref="ProblemException">CG0641: it belongs to somebody else.</exception>
    internal void Require(string folder, string socket)
    {
        if (UnixFile.Of(socket) is not { } file)
        {
            return;
        }

        if (Required is { } name ? file.Owner != UserNumber(name) : IsChosen && folder == OpenFolder && !IsTrusted(socket))
        {
            throw new ProblemException(
                "CG0641",
                $"The socket {socket} belongs to {UserName(file.Owner)}, not to {Required ?? "root, postgres or you"}: "
                + "nothing is sent there",
                advice: Required is null ? "Name the server's host in the URL (host=/tmp for this one)."
                    : "Check requirepeer in the connection string, or PGREQUIREPEER.");
        }
    }

    private static uint? UserNumber(string name) =>
        Users().Where(user => user[0] == name).Select(user => uint.TryParse(user[2], out var number) ? number : (uint?)null)
            .FirstOrDefault();

    private static string UserName(uint number) =>
        Users().FirstOrDefault(user => user[2] == number.ToString(null, null))?[0] ?? $"the user with the number {number}";

    private static IEnumerable<string[]> Users() =>
        File.Exists("/etc/passwd") ? File.ReadLines("/etc/passwd").Select(line => line.Split(':')).Where(parts => parts.Length > 3) : [];
}
