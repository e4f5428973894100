namespace ChatGenius.Db.Text;

/// <summary>Writes a file as a whole: who reads it in the meantime sees the old one or the new one, and a full disk leaves what was
/// there.</summary>
internal static class WholeFile
{
    /// <summary>Writes a draft beside the file and gives it the file's name.</summary>
    /// <param name="path">The file; a link stays one, and what it leads to is written. What lies in <c>/dev</c> (but not on the RAM disk
    /// <c>/dev/shm</c>) is no file to be replaced, and is written to as it is.</param>
    /// <param name="bytes">All of it.</param>
    /// <param name="overwrite">Whether a file of that name is replaced; who may read it stays as it was.</param>
    /// <exception cref="IOException">The disk is full, its folder is not there, or it is there already and is to be kept.</exception>
    /// <exception cref="UnauthorizedAccessException">The permissions don't allow it.</exception>
    public static void Write(string path, ReadOnlySpan<byte> bytes, bool overwrite)
    {
        // On Windows the full path of NUL or CON is one of these.
        var full = Path.GetFullPath(path);
        if (full.StartsWith(@"\\.\", StringComparison.Ordinal)
            || (full.StartsWith("/dev/", StringComparison.Ordinal) && !full.StartsWith("/dev/shm/", StringComparison.Ordinal)))
        {
            File.WriteAllBytes(path, bytes);
            return;
        }

        path = overwrite && new FileInfo(path).LinkTarget is not null ? File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName
            : path;
        var draft = $"{path}.{Environment.ProcessId}.tmp";
        try
        {
            File.WriteAllBytes(draft, bytes);
            if (overwrite && File.Exists(path) && !OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(draft, File.GetUnixFileMode(path));
            }

            File.Move(draft, path, overwrite);
        }
        finally
        {
            // It is there only where writing it or moving it failed.
            File.Delete(draft);
        }
    }
}
