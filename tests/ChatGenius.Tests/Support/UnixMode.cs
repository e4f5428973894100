namespace ChatGenius.Tests.Support;

/// <summary>A file's mode, where the system has one; Windows does not, and decides by a file's ending what can be run.</summary>
internal static class UnixMode
{
    public static void Set(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, mode);
        }
    }
}
