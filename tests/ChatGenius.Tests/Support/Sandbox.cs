namespace ChatGenius.Tests.Support;

/// <summary>A folder for one test alone; removed with it.</summary>
internal sealed class Sandbox : IDisposable
{
    /// <summary>Creates the folder.</summary>
    public Sandbox() => Path = Directory.CreateTempSubdirectory("chatgenius-test-").FullName;

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Writes a file, with the folders it needs, as UTF-8 without a byte order mark.</summary>
    /// <returns>The file's full path.</returns>
    public string Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    /// <summary>Writes a file byte for byte, with the folders it needs.</summary>
    /// <returns>The file's full path.</returns>
    public string Write(string name, byte[] bytes)
    {
        var path = Combine(name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    /// <summary>Reads a file.</summary>
    public string Read(string name) => File.ReadAllText(Combine(name));

    /// <summary>The full path of a file or folder that need not be there.</summary>
    public string Combine(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Removes the folder, also where a test took away the right to write in it.</summary>
    public void Dispose()
    {
        if (!OperatingSystem.IsWindows())
        {
            foreach (var folder in Directory.EnumerateDirectories(Path, "*", SearchOption.AllDirectories))
            {
                File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }

        Directory.Delete(Path, recursive: true);
    }
}
