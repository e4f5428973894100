using System.Collections;
using ChatGenius.Tool;

namespace ChatGenius.Tests.Support;

/// <summary>
/// The tool, where a test doesn't care about processes: the executable that <c>CHATGENIUS_DB_EXE</c> names (the native one, in
/// <c>.ci/run</c>), or in this process, which saves the start of one. What is about signals, kills or processes at once takes <see
/// cref="ToolProcess"/>.
/// </summary>
internal static class TheTool
{
    /// <summary>Runs it to its end.</summary>
    /// <param name="arguments">As on a command line.</param>
    /// <param name="workingDirectory">Where it runs; the tests' own folder where null.</param>
    /// <param name="environment">Variables to set, or to unset where null.</param>
    public static async Task<ToolResult> RunAsync(
        string[] arguments, string? workingDirectory = null, IReadOnlyDictionary<string, string?>? environment = null)
    {
        if (ToolProcess.Executable is not null)
        {
            return await ToolProcess.RunAsync(arguments, workingDirectory, environment);
        }

        var variables = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Where(variable => !ToolProcess.IsAmbient((string)variable.Key))
            .ToDictionary(variable => (string)variable.Key, variable => (string)variable.Value!);
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            variables[name] = value ?? "";
        }

        var (output, error) = (new StringWriter { NewLine = "\n" }, new StringWriter { NewLine = "\n" });
        var folder = Path.GetFullPath(workingDirectory ?? AppContext.BaseDirectory);
        var exitCode = await Cli.RunAsync(arguments, new Shell(() => null, output, error, variables, folder), CancellationToken.None);

        // A process of its own names what is in its folder from there.
        string Relative(StringWriter text) => text.ToString().Replace(folder + Path.DirectorySeparatorChar, "", StringComparison.Ordinal);
        return new ToolResult((int)exitCode, Relative(output), Relative(error));
    }
}
