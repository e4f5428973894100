using System.Diagnostics;

namespace ChatGenius.Tests.Support;

/// <summary>What a process that ended left behind.</summary>
internal sealed record ToolResult(int ExitCode, string Output, string Error);

/// <summary>
/// The tool as a process of its own: the one beside the tests, run with <c>dotnet</c>, or the executable that <c>CHATGENIUS_DB_EXE</c>
/// names. It sees none of the variables that would choose a database or change its output, other than those it is given.
/// </summary>
internal sealed class ToolProcess : IAsyncDisposable
{
    // No test waits for this long; it ends a process that hangs, so that a run ends with a failure and not never.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();

    private ToolProcess(Process process) => _process = process;

    /// <summary>What <c>CHATGENIUS_DB_EXE</c> names; null where it is not set.</summary>
    public static string? Executable { get; } =
        Environment.GetEnvironmentVariable("CHATGENIUS_DB_EXE") is { Length: > 0 } path ? path : null;

    /// <summary>The process's id.</summary>
    public int Id => _process.Id;

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>What it has written to standard output so far.</summary>
    public string Output => Locked(_output);

    /// <summary>What it has written to standard error so far.</summary>
    public string Error => Locked(_error);

    /// <summary>Runs the tool to its end.</summary>
    /// <param name="arguments">As on a command line.</param>
    /// <param name="workingDirectory">Where it runs; the tests' own folder where null.</param>
    /// <param name="environment">Variables to set, or to unset where null.</param>
    /// <param name="input">What stands on its standard input, which then ends.</param>
    public static async Task<ToolResult> RunAsync(
        string[] arguments, string? workingDirectory = null, IReadOnlyDictionary<string, string?>? environment = null, string? input = null)
    {
        await using var tool = Start(arguments, workingDirectory, environment, input);
        return await tool.ExitAsync();
    }

    /// <summary>Starts the tool; <see cref="ExitAsync"/> waits for its end.</summary>
    public static ToolProcess Start(
        string[] arguments, string? workingDirectory = null, IReadOnlyDictionary<string, string?>? environment = null, string? input = null)
    {
        string[] portable = [Path.Combine(AppContext.BaseDirectory, "chatgenius-db.dll"), .. arguments];
        return StartProcess(Executable ?? "dotnet", Executable is null ? portable : arguments, workingDirectory, environment, input);
    }

    /// <summary>Starts any program the same way.</summary>
    internal static ToolProcess StartProcess(
        string file, string[] arguments, string? workingDirectory, IReadOnlyDictionary<string, string?>? environment, string? input)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            WorkingDirectory = workingDirectory ?? AppContext.BaseDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (var variable in start.Environment.Keys.Where(IsAmbient).ToList())
        {
            start.Environment.Remove(variable);
        }

        foreach (var (variable, value) in environment ?? new Dictionary<string, string?>())
        {
            start.Environment[variable] = value;
        }

        var tool = new ToolProcess(new Process { StartInfo = start });
        tool._process.OutputDataReceived += (_, e) => Append(tool._output, e.Data);
        tool._process.ErrorDataReceived += (_, e) => Append(tool._error, e.Data);
        tool._process.Start();
        tool._process.BeginOutputReadLine();
        tool._process.BeginErrorReadLine();
        tool._process.StandardInput.Write(input);
        tool._process.StandardInput.Close();
        return tool;
    }

    /// <summary>Waits until it has written this to one of its outputs.</summary>
    public async Task WaitForOutputAsync(string text)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!Output.Contains(text, StringComparison.Ordinal) && !Error.Contains(text, StringComparison.Ordinal))
        {
            _process.HasExited.ShouldBeFalse($"It ended without writing \"{text}\".\n{Output}\n{Error}");
            await Task.Delay(20, patience.Token);
        }
    }

    /// <summary>What Ctrl-C does on a terminal.</summary>
    public void Interrupt() => Signal("-INT");

    /// <summary>What a container's stop does.</summary>
    public void Terminate() => Signal("-TERM");

    /// <summary>Ends it without a chance to clean up.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Waits for its end.</summary>
    public async Task<ToolResult> ExitAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"The process hung.\n{Output}\n{Error}");
        }

        return new ToolResult(_process.ExitCode, Output, Error);
    }

    /// <summary>Ends the process and what it started, if they still run.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", [name, _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>Whether a variable would choose a database or change the output.</summary>
    internal static bool IsAmbient(string variable) =>
        variable.StartsWith("PG", StringComparison.Ordinal)
        || (variable.StartsWith("CHATGENIUS_", StringComparison.Ordinal) && variable != "CHATGENIUS_POSTGRES_BIN")
        || variable.EndsWith("_ENVIRONMENT", StringComparison.Ordinal)
        || variable is "DATABASE_URL" or "CI" or "KUBERNETES_SERVICE_HOST" or "NO_COLOR" or "FORCE_COLOR" or "COLUMNS";

    private static void Append(StringBuilder target, string? line)
    {
        if (line is not null)
        {
            lock (target)
            {
                target.Append(line).Append('\n');
            }
        }
    }

    private static string Locked(StringBuilder target)
    {
        lock (target)
        {
            return target.ToString();
        }
    }
}
