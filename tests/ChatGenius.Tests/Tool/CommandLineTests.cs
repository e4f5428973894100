using ChatGenius.Tool;

namespace ChatGenius.Tests.Tool;

public class CommandLineTests
{
    [Theory]
    [InlineData("CG1001", "Did you mean chatgenius-db config?", "confg")]
    [InlineData("CG1001", "See chatgenius-db --help", "xyzzy")]
    [InlineData("CG1002", "Did you mean --json?", "config", "--jsn")]
    [InlineData("CG1002", "See chatgenius-db config --help", "config", "--xyzzy=1")]
    [InlineData("CG1002", "See chatgenius-db config --help", "config", "-x")]
    [InlineData("CG1003", "See chatgenius-db config --help", "config", "-d")]
    [InlineData("CG1003", "See chatgenius-db config --help", "config", "-d", "a", "-d", "b")]
    [InlineData("CG1004", "See chatgenius-db config --help", "config", "extra")]
    public async Task What_is_not_understood_is_a_problem_with_the_way_out(string code, string advice, params string[] args)
    {
        using var tool = new InProcess();

        var run = await tool.RunAsync(args);

        run.ExitCode.ShouldBe(ExitCode.Error);
        run.Out.ShouldBeEmpty();
        run.Error.ShouldStartWith($"error {code}: ");
        run.Error.ShouldEndWith($"  help: {advice}\n");
    }

    [Fact]
    public async Task Global_options_stand_before_or_after_the_command()
    {
        using var tool = new InProcess();

        var before = await tool.RunAsync("--migrations", "db", "config");
        var after = await tool.RunAsync("config", "--migrations=db");

        before.Out.ShouldContain("FOLDER/db ");
        after.Out.ShouldBe(before.Out);
    }

    [Fact]
    public async Task Without_a_command_the_help_goes_to_stderr_and_the_exit_code_is_2()
    {
        using var tool = new InProcess();

        var run = await tool.RunAsync();

        run.ExitCode.ShouldBe(ExitCode.Error);
        run.Error.ShouldContain("Usage: chatgenius-db COMMAND");
    }

    [Fact]
    public async Task Help_is_an_option_and_a_command()
    {
        using var tool = new InProcess();

        var option = await tool.RunAsync("config", "--help");
        var command = await tool.RunAsync("help", "config");

        option.ExitCode.ShouldBe(ExitCode.Done);
        option.Out.ShouldContain("Usage: chatgenius-db config");
        command.Out.ShouldBe(option.Out);
    }

    [Fact]
    public async Task Version_is_one_line()
    {
        using var tool = new InProcess();

        (await tool.RunAsync("--version")).Out.ShouldBe($"chatgenius-db {Cli.Version} (portable, on .NET {System.Environment.Version})\n");
    }

    [Fact]
    public async Task With_json_a_problem_is_a_document_on_stdout_and_text_on_stderr()
    {
        using var tool = new InProcess();

        var run = await tool.RunAsync("config", "--json", "--migratoins", "x");

        run.Out.ShouldContain("\"code\": \"CG1002\"");
        run.Error.ShouldContain("error CG1002: chatgenius-db config has no option --migratoins\n  help: Did you mean --migrations?\n");
    }
}
