using ChatGenius.Tool;
using ChatGenius.Tool.Commands;

namespace ChatGenius.Tests.Tool;

public class CompletionTests
{
    [Theory]
    [InlineData("ap", "apply")]
    [InlineData("server st", "start stop status")]
    [InlineData("-d x rol", "rollback")]
    [InlineData("apply --lock", "--lock-timeout")]
    [InlineData("rollback --to ", "0001_a 0002_b")]
    [InlineData("rollback --to = 0002", "0002_b")]
    [InlineData("repair ", "0001_a 0002_b")]
    [InlineData("status --env ", "production staging")]
    [InlineData("new --template create_ta", "create_table")]
    [InlineData("schema dump --format ", "text sql")]
    [InlineData("schema dump -o ", ":files")]
    [InlineData("renumber ", "0001_a.sql 0002_b.sql")]
    [InlineData("completion ", "bash zsh fish powershell")]
    [InlineData("drop x", "")]
    public async Task What_may_come_next_is_offered(string line, string offered)
    {
        using var tool = Project();

        var run = await tool.RunAsync([Completion.Call, "--", .. line.Split(' ')]);

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(candidate => candidate.Split('\t')[0])
            .ShouldBe(offered.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory]
    [InlineData("new --template ", "create_table")]
    [InlineData("status --env ", "staging")]
    public async Task What_a_shell_would_run_is_not_offered(string line, string offered)
    {
        using var tool = new InProcess();
        tool.Write("chatgenius-db.json", """{"environments":{"$(touch x)":{},"a;b":{},"`c`":{},"d\ne":{},"staging":{}}}""");
        foreach (var name in (string[])["$(touch x)", "a;b", "`c`", "&d", "create_table"])
        {
            tool.Write($"migrations/templates/{name}.sbn", "{{# A template }}-- migrate:up\nSELECT 1;\n");
        }

        var run = await tool.RunAsync([Completion.Call, "--", .. line.Split(' ')]);

        var words = run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(candidate => candidate.Split('\t')[0]).ToList();
        words.ShouldContain(offered);
        words.ShouldAllBe(word => word.All(sign => char.IsAsciiLetterOrDigit(sign) || sign == '_'));
    }

    [Fact]
    public async Task Every_command_and_every_option_of_it_is_offered()
    {
        foreach (var command in CommandList.All().SelectMany(group => group.Commands))
        {
            using var tool = new InProcess();
            (await tool.RunAsync(Completion.Call, "--", command.Name)).Out.ShouldContain($"{command.Name}\t{command.Summary}\n");
            var offered = (await tool.RunAsync(Completion.Call, "--", command.Name, "--")).Out;
            foreach (var option in CommandLine.Parse([command.Name, "--help"], CommandList.All()).App.GetOptions()
                .Where(option => option.LongName != "json"))
            {
                offered.ShouldContain($"--{option.LongName}\t");
            }
        }
    }

    [Theory]
    [InlineData("bash",
        "source ./script; COMP_WORDS=(TOOL rollback --to 00); COMP_CWORD=3; _chatgenius_db; printf '%s\\n' \"${COMPREPLY[@]}\"")]
    [InlineData("fish", "source ./script; complete -C 'TOOL rollback --to 00'")]
    [InlineData("zsh",
        "autoload -Uz compinit; compinit -u -D; source ./script; zpty -t x 2>/dev/null; words=(TOOL rollback --to 00); CURRENT=4; "
        + "_describe() { print -l -- ${(P)2}; }; _chatgenius_db")]
    public async Task The_script_completes_in_a_real_shell(string name, string call)
    {
        using var tool = Project();
        var executable = Environment.GetEnvironmentVariable("CHATGENIUS_DB_EXE");
        var command = string.IsNullOrEmpty(executable) ? $"exec dotnet {Path.Combine(AppContext.BaseDirectory, "chatgenius-db.dll")}"
            : $"exec {executable}";
        var path = tool.Write("bin/chatgenius-db", $"#!/bin/sh\n{command} \"$@\"\n");
        UnixMode.Set(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        tool.Write("script", (await tool.RunAsync("completion", name)).Out);

        await using var shell = ToolProcess.StartProcess(
            name, ["-c", call.Replace("TOOL", "chatgenius-db", StringComparison.Ordinal)], tool.Folder,
            new Dictionary<string, string?> { ["PATH"] = $"{Path.Combine(tool.Folder, "bin")}:{Environment.GetEnvironmentVariable("PATH")}",
                ["HOME"] = tool.Folder }, null);
        var run = await shell.ExitAsync();

        run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')[0])
            .ShouldBe(["0001_a", "0002_b"], run.Error);
    }

    [Fact]
    public async Task The_manual_page_has_every_command()
    {
        using var tool = new InProcess();
        var page = (await tool.RunAsync("man")).Out;

        page.ShouldStartWith(".TH CHATGENIUS-DB 1 ");
        foreach (var command in CommandList.All().SelectMany(group => group.Commands))
        {
            page.ShouldContain($"\n.SH {command.Name.ToUpperInvariant().Replace("-", "\\-", StringComparison.Ordinal)}\n");
        }
    }

    private static InProcess Project()
    {
        var tool = new InProcess();
        tool.Write("migrations/0001_a.sql", "");
        tool.Write("migrations/0002_b.sql", "");
        tool.Write("chatgenius-db.json", """{ "environments": { "production": {}, "staging": {} } }""");
        return tool;
    }
}
