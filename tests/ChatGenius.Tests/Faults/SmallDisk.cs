using System.Diagnostics;

namespace ChatGenius.Tests.Faults;

/// <summary>A disk of a few megabytes: a RAM disk of its own, which only root may mount.</summary>
internal sealed class SmallDisk : IDisposable
{
    private static readonly Lazy<string?> Tried = new(Try);

    private SmallDisk(string path) => Path = path;

    /// <summary>Why none can be mounted here; null where one can.</summary>
    public static string? Obstacle => Tried.Value;

    public string Path { get; }

    private string Ballast => System.IO.Path.Combine(Path, "ballast");

    public static SmallDisk Mount(int megabytes)
    {
        var path = Directory.CreateTempSubdirectory("chatgenius-disk-").FullName;
        try
        {
            Run("mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={megabytes}m,mode=1777"), "tmpfs", path);
            return new SmallDisk(path);
        }
        catch
        {
            Directory.Delete(path);
            throw;
        }
    }

    /// <summary>Takes the room that is left, but for so many bytes.</summary>
    public void Fill(long leave = 0)
    {
        using var file = new FileStream(Ballast, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            for (var block = new byte[4096]; new DriveInfo(Path).AvailableFreeSpace > leave;)
            {
                file.Write(block);
            }
        }
        catch (IOException) when (leave == 0)
        {
            // Somebody else took the last of it.
        }
    }

    /// <summary>Gives the room back.</summary>
    public void Free() => File.Delete(Ballast);

    public void Dispose()
    {
        // Lazily: a server that is about to end may still have a file open.
        Run("umount", "-l", Path);
        Directory.Delete(Path);
    }

    private static string? Try()
    {
        try
        {
            Mount(1).Dispose();
            return null;
        }
        catch (InvalidOperationException e)
        {
            return $"No disk can be mounted here: {e.Message}";
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        // Where we are not root, sudo may help; it never asks.
        var start = Environment.IsPrivilegedProcess ? new ProcessStartInfo(program, arguments)
            : new ProcessStartInfo("sudo", ["-n", program, .. arguments]);
        start.RedirectStandardError = true;
        try
        {
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0)
            {
                throw new InvalidOperationException(error.Trim());
            }
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new InvalidOperationException(e.Message, e);
        }
    }
}
