using ChatGenius.Tool;

namespace ChatGenius.Tests.Tool;

/// <summary>What a run of the tool left behind.</summary>
internal sealed record ToolRun(ExitCode ExitCode, string Out, string Error);

/// <summary>Runs the tool in this process, with an environment and a working directory of its own.</summary>
internal sealed class InProcess : IDisposable
{
    /// <summary>One for all tests, since a server for each would be made for each; a server whose files are gone ends by itself.</summary>
    private static readonly string SharedData = OfThisProcess();

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("chatgenius-tool-");

    public Dictionary<string, string> Environment { get; } = [];

    public string Folder => _folder.FullName;

    public string Input { get; init; } = "";

    public bool Terminal { get; init; }

    public int Width { get; init; } = 80;

    public TimeSpan? Beat { get; init; }

    /// <summary>What happens while the tool waits for its first answer.</summary>
    public Action? AtQuestion { get; set; }

    public string Write(string name, string text)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    public Shell Shell(TextWriter output, TextWriter error, string? workingDirectory = null) =>
        new(Answers(new StringReader(Input)), output, error, WithOwnData(), Path.GetFullPath(workingDirectory ?? "", Folder))
        {
            InIsTerminal = Terminal,
            OutIsTerminal = Terminal,
            ErrorIsTerminal = Terminal,
            Width = () => Width,
            Beat = Beat,
        };

    private Func<string?> Answers(StringReader input) => () =>
    {
        AtQuestion?.Invoke();
        AtQuestion = null;
        return input.ReadLine();
    };

    public Task<ToolRun> RunAsync(params string[] args) => RunInAsync("", args);

    public async Task<ToolRun> RunInAsync(string folder, params string[] args)
    {
        var (output, error) = (new StringWriter { NewLine = "\n" }, new StringWriter { NewLine = "\n" });
        var exitCode = await Cli.RunAsync(args, Shell(output, error, folder), CancellationToken.None);

        // Paths of the sandbox differ from run to run; in what tests compare they are short.
        return new ToolRun(exitCode, Shorten(output), Shorten(error));
    }

    public void Dispose()
    {
        _folder.Delete(recursive: true);
    }

    /// <summary>What is kept in the user's own folder is not touched.</summary>
    private Dictionary<string, string> WithOwnData()
    {
        var environment = new Dictionary<string, string>(Environment);
        environment.TryAdd("CHATGENIUS_DATA_DIR", SharedData);
        return environment;
    }

    private static string OfThisProcess()
    {
        var folder = Path.Combine(Path.GetTempPath(), $"chatgenius-tests-{System.Environment.ProcessId}-data");
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        };
        return folder;
    }

    private string Shorten(StringWriter writer) => writer.ToString().Replace(Folder, "FOLDER", StringComparison.Ordinal);
}
