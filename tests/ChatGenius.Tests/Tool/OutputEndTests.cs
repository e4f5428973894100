using ChatGenius.Tool;
using ChatGenius.Tool.Output;

namespace ChatGenius.Tests.Tool;

/// <summary>Where stdout ends: on a full disk, closed, at a reader that left, on a terminal, in GitHub's log.</summary>
public class OutputEndTests
{
    [Theory]
    [InlineData("--version", ">/dev/full", "No space left")]
    [InlineData("--help", ">/dev/full", "No space left")]
    [InlineData("config", ">/dev/full", "No space left")]
    [InlineData("config --json", ">/dev/full", "No space left")]
    [InlineData("verify", ">/dev/full", "No space left")]
    [InlineData("new tidy_up --stdout", ">/dev/full", "No space left")]
    [InlineData("--version", ">&-", "it is closed")]
    [InlineData("config", ">&-", "it is closed")]
    [InlineData("verify --json", "<&- >&-", "it is closed")]
    public async Task A_stdout_that_takes_nothing_is_a_problem(string arguments, string redirection, string reason)
    {
        var run = await BashAsync($"{arguments} {redirection}");

        run.ExitCode.ShouldBe(2, run.Error);
        run.Error.ShouldContain("error CG1110: The result can't be written to stdout: ");
        run.Error.ShouldContain(reason);
    }

    [Theory]
    [InlineData("verify >&- 2>&- <&-", 2)]
    [InlineData("verify 2>&-", 0)]
    [InlineData("nope 2>/dev/full", 2)]
    [InlineData("verify </dev/null >/dev/null 2>/dev/null", 0)]
    [InlineData("verify </dev/null >/dev/null 2>&1", 0)]
    [InlineData("verify </dev/null >/dev/null", 0)]
    [InlineData("nope 2>&-", 2)]
    public async Task A_stderr_that_takes_nothing_changes_no_exit_code(string call, int exitCode) =>
        (await BashAsync(call)).ExitCode.ShouldBe(exitCode);

    [Fact]
    public async Task A_reader_that_left_is_no_problem()
    {
        var run = await BashAsync("check --rules | head -1; exit ${PIPESTATUS[0]}");

        run.ExitCode.ShouldBe(0, run.Error);
        run.Error.ShouldBeEmpty();
        run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(1);
    }

    [Fact]
    public async Task Reading_a_pipe_that_nobody_writes_to_ends_with_the_first_signal()
    {
        using var folder = new InProcess();
        folder.Write("s.txt", "");
        await using var mkfifo = ToolProcess.StartProcess("mkfifo", [Path.Combine(folder.Folder, "p")], null, null, null);
        (await mkfifo.ExitAsync()).ExitCode.ShouldBe(0);
        await using var tool = ToolProcess.Start(["schema", "diff", "p", "s.txt", "-v"], folder.Folder);
        await Task.Delay(1000);

        tool.Terminate();

        (await tool.ExitAsync()).ExitCode.ShouldBe((int)ExitCode.Cancelled);
    }

    [Theory]
    [InlineData("a\e]0;title\a", "a\uFFFD]0;title\uFFFD\n")]
    [InlineData("a\e[2Jb", "a\uFFFD[2Jb\n")]
    [InlineData("a\u009B2Jb", "a\uFFFD2Jb\n")]
    [InlineData("a\u202Eb\r\nc\td", "a\uFFFDb\nc\td\n")]
    [InlineData("\e[31;1mred\e[0m", "\e[31;1mred\e[0m\n")]
    public void No_escape_sequence_but_our_own_leaves(string text, string shown)
    {
        var output = new StringWriter();
        using var tool = new InProcess();
        new Report(tool.Shell(output, TextWriter.Null), json: false, color: false).Result(text);

        output.ToString().ShouldBe(shown);
    }

    [Theory]
    [InlineData("::error file=a::injected", ": :error file=a::injected")]
    [InlineData("  ::add-mask::x", "  : :add-mask::x")]
    [InlineData("a ##[error]b", "a # #[error]b")]
    [InlineData("'a'::text", "'a'::text")]
    [InlineData("  ::text", "  ::text")]
    public void In_the_log_of_GitHub_no_text_forms_a_command(string text, string shown)
    {
        var output = new StringWriter();
        using var tool = new InProcess { Environment = { ["GITHUB_ACTIONS"] = "true" } };
        var report = new Report(tool.Shell(output, output), json: false, color: false);
        report.Result($"first\n{text}");
        report.Note($"first\n{text}");

        output.ToString().ShouldBe($"first\n{shown}\nfirst\n{shown}\n");
    }

    private static async Task<ToolResult> BashAsync(string call)
    {
        var executable = Environment.GetEnvironmentVariable("CHATGENIUS_DB_EXE");
        var tool = string.IsNullOrEmpty(executable) ? $"dotnet {Path.Combine(AppContext.BaseDirectory, "chatgenius-db.dll")}" : executable;
        await using var bash = ToolProcess.StartProcess("bash", ["-c", $"{tool} {call}"], null, null, null);
        return await bash.ExitAsync();
    }
}
