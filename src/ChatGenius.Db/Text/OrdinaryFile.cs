namespace ChatGenius.Db.Text;

/// <summary>Reads small files that others name or put there. A pipe or a device may wait or never end: it is refused.</summary>
internal static class OrdinaryFile
{
    private const int Largest = 1024 * 1024;

    /// <summary>Reads a file of at most 1 MB.</summary>
    /// <exception cref="IOException">It is not there, not an ordinary file, or larger.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static byte[] ReadBytes(string path)
    {
        Require(path);
        return new FileInfo(path) is { Exists: true, Length: > Largest } ? throw new IOException("it is larger than 1 MB")
            : File.ReadAllBytes(path);
    }

    /// <summary>Reads the lines of a file, as far as they are asked for.</summary>
    /// <inheritdoc cref="ReadBytes" path="/exception"/>
    public static IEnumerable<string> ReadLines(string path)
    {
        Require(path);
        return File.ReadLines(path);
    }

    /// <summary>The problem of a file that can't be read.</summary>
    public static ProblemException Unreadable(string path, Exception e) =>
        new("CG0103", $"The file {path} can't be read: {e.Message}", advice: "Check its permissions.", cause: e);

    /// <summary>Refuses what is not an ordinary file.</summary>
    /// <exception cref="IOException">It is a folder, a pipe or a device.</exception>
    public static void Require(string path)
    {
        if (UnixFile.Of(path) is { IsRegular: false } other)
        {
            throw new IOException(other.IsFolder ? "it is a folder" : "it is a pipe or a device, not an ordinary file");
        }
    }
}
