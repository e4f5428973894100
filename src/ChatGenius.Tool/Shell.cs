using System.Collections;
using System.Runtime.InteropServices;
using System.Text;

namespace ChatGenius.Tool;

/// <summary>What a run sees of the world around it: its streams, its environment, and where it was started.</summary>
/// <param name="ReadLine">Reads a line of standard input; null at its end.</param>
internal sealed partial record Shell(
    Func<string?> ReadLine,
    TextWriter Out,
    TextWriter Error,
    IReadOnlyDictionary<string, string> Environment,
    string WorkingDirectory)
{
    public bool InIsTerminal { get; init; }

    public bool OutIsTerminal { get; init; }

    public bool ErrorIsTerminal { get; init; }

    /// <summary>The width of the terminal in columns; asked each time, because a terminal can be resized.</summary>
    public Func<int> Width { get; init; } = () => 80;

    /// <summary>How often a run that goes on says so; null for what suits a terminal or a pipe.</summary>
    public TimeSpan? Beat { get; init; }

    /// <summary>The value of an environment variable; an empty one counts as not set, as it does for libpq.</summary>
    public string? Variable(string name) => Environment.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    /// <summary>A path of the command line or the environment, which is relative to the working directory.</summary>
    public string Absolute(string path) => Path.GetFullPath(path, WorkingDirectory);

    /// <summary>A path in the shortest form that works from the working directory: below it relative, elsewhere absolute.</summary>
    public string Shown(string path)
    {
        var full = Absolute(path);
        var relative = Path.GetRelativePath(WorkingDirectory, full);

        // A run inside another process (a test) has a working directory that is not the process's own: there only absolute paths work.
        return relative.StartsWith("..", StringComparison.Ordinal) || WorkingDirectory != Directory.GetCurrentDirectory() ? full : relative;
    }

    /// <summary>The console of this process, UTF-8 whatever the locale says: what we print are UTF-8 files.</summary>
    public static Shell OfProcess()
    {
        var variables = new Dictionary<string, string>(
            OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
        foreach (DictionaryEntry variable in System.Environment.GetEnvironmentVariables())
        {
            variables[(string)variable.Key] = (string?)variable.Value ?? "";
        }

        if (OperatingSystem.IsWindows() && !(Console.IsOutputRedirected && Console.IsErrorRedirected))
        {
            Console.OutputEncoding = Encoding.UTF8;
        }

        return new Shell(
            Console.ReadLine,
            IsOpen(1) ? Writer(Console.OpenStandardOutput(), flush: !Console.IsOutputRedirected) : Closed(),
            Writer(IsOpen(2) ? Console.OpenStandardError() : Stream.Null, flush: true),
            variables,
            CurrentDirectory())
        {
            InIsTerminal = !Console.IsInputRedirected,
            OutIsTerminal = !Console.IsOutputRedirected,
            ErrorIsTerminal = !Console.IsErrorRedirected,
            Width = ConsoleWidth,
        };
    }

    /// <summary>Empty where the system can't say it, as after somebody has deleted it.</summary>
    private static string CurrentDirectory()
    {
        try
        {
            return Directory.GetCurrentDirectory();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>
    /// Whether a stream was given to us. Where it was closed, the runtime's own files have taken its number, a pipe to itself first of all:
    /// what is written there would come back to it as signals. Nothing that is given to us is open for reading alone, or is the pipe that a
    /// neighbour reads. (stdin and stdout may well be one file: /dev/null of a job that runs by itself.)
    /// </summary>
    private static bool IsOpen(int number)
    {
        if (OperatingSystem.IsWindows())
        {
            return true;
        }

        // A chroot or a container may have no /proc: then two pipes are never taken for one.
        return IsWritable(number) && (LinkOf(number) is not { } link
            || !(link.StartsWith("anon_inode:", StringComparison.Ordinal)
                || (link.StartsWith("pipe:", StringComparison.Ordinal)
                    && Enumerable.Range(0, number).Any(lower => !IsWritable(lower) && LinkOf(lower) == link))));

        static string? LinkOf(int number) => new FileInfo($"/proc/self/fd/{number}").LinkTarget;

        // The last two bits of the flags: 0 is reading alone. A number without a file gives -1.
        static bool IsWritable(int number) => FileFlags(number, GetFlags) is >= 0 and var flags && (flags & 3) != 0;
    }

    private const int GetFlags = 3;

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int FileFlags(int number, int command);

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private static TextWriter Writer(Stream stream, bool flush) =>
        TextWriter.Synchronized(new StreamWriter(stream, Utf8) { AutoFlush = flush, NewLine = "\n" });

    /// <summary>A writer that can't write.</summary>
    private static TextWriter Closed()
    {
        var stream = new MemoryStream();
        var writer = Writer(stream, flush: false);
        stream.Dispose();
        return writer;
    }

    private static int ConsoleWidth()
    {
        try
        {
            // A pseudo-terminal that nobody has sized reports 0.
            return Console.WindowWidth is > 0 and var width ? width : 80;
        }
        catch (IOException)
        {
            return 80;
        }
    }
}
