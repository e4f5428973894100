using System.Diagnostics;
using ChatGenius.Db.Text;
using ChatGenius.Tool;

namespace ChatGenius.Tests.Tool;

/// <summary>Settings and variables of other people, and files that are none.</summary>
public class OthersFilesTests
{
    public static TheoryData<string, string> Files => new()
    {
        { "chatgenius-db.json", "{}" },
        { ".env", "A=b" },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public async Task A_file_above_that_everybody_may_write_to_is_not_taken(string name, string text)
    {
        using var tool = Deep(name, text);
        UnixMode.Set(Path.Combine(tool.Folder, name), (UnixFileMode)Convert.ToInt32("666", 8));

        await ShouldBeRefused(tool, name, "everybody may write to it");
        (await tool.RunAsync("config")).ExitCode.ShouldBe(ExitCode.Done, "In the working directory itself it is taken.");
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task A_file_above_that_belongs_to_another_user_is_not_taken(string name, string text)
    {
        if (UnixFile.Ourselves != 0)
        {
            return; // Only root can give a file away.
        }

        using var tool = Deep(name, text);
        await RunAsync("chown", "65534", Path.Combine(tool.Folder, name));
        await ShouldBeRefused(tool, name, "belongs to another user (number 65534)");

        tool.Environment["SUDO_UID"] = "65534";
        (await tool.RunInAsync("src/deep", "config")).ExitCode.ShouldBe(ExitCode.Done, "The user who called sudo is trusted.");

        tool.Environment.Remove("SUDO_UID");
        await RunAsync("chown", "65534", Path.Combine(tool.Folder, "src", "deep"));
        (await tool.RunInAsync("src/deep", "config")).ExitCode.ShouldBe(ExitCode.Done, "So is the owner of the working directory.");
    }

    [Fact]
    public async Task A_settings_file_outside_of_the_repository_or_the_home_directory_is_not_taken()
    {
        using var tool = Deep("chatgenius-db.json", "{}");
        tool.Environment["HOME"] = Path.Combine(tool.Folder, "src");
        await ShouldBeRefused(tool, "chatgenius-db.json", "outside of the home directory FOLDER/src");

        tool.Environment["HOME"] = tool.Folder;
        Directory.CreateDirectory(Path.Combine(tool.Folder, "src", ".git"));
        await ShouldBeRefused(tool, "chatgenius-db.json", "outside of the repository FOLDER/src");

        (await tool.RunInAsync("src/deep", "config", "--config", "../../chatgenius-db.json")).ExitCode.ShouldBe(ExitCode.Done);
    }

    [Theory]
    [InlineData(".env", "config", "CG0906")]
    [InlineData("chatgenius-db.json", "config", "CG0901")]
    [InlineData("migrations/0001_a.sql", "verify --no-bundle", "CG0103")]
    [InlineData("migrations/repeatable/a.sql", "verify --no-bundle", "CG0103")]
    [InlineData("service.conf", "status", "CG0645")]
    [InlineData("own/mine.sbn", "new add_notes --template mine --templates own", "CG0103")]
    public async Task A_pipe_or_a_device_is_a_problem_and_not_a_wait(string name, string command, string code)
    {
        using var tool = new InProcess();
        var path = tool.Write(name, "");
        if (name == "service.conf")
        {
            (tool.Environment["PGSERVICE"], tool.Environment["PGSERVICEFILE"]) = ("production", path);
        }

        var arguments = command.Split(' ');
        File.Delete(path);
        await RunAsync("mkfifo", path);
        (await tool.RunAsync(arguments)).Error.ShouldContain($"error {code}: ");

        File.Delete(path);
        File.CreateSymbolicLink(path, "/dev/zero");
        (await tool.RunAsync(arguments)).Error.ShouldContain($"error {code}: ");
    }

    [Fact]
    public async Task What_a_file_that_can_not_be_read_belongs_to_is_not_known_and_ends_no_command()
    {
        using var tool = new InProcess();
        File.CreateSymbolicLink(tool.Write("Migrations/x.sql", "") + ".sql", "/nowhere");

        (await tool.RunAsync("verify")).ExitCode.ShouldBe(ExitCode.Done);
    }

    [Fact]
    public async Task A_name_that_is_not_UTF8_is_said_to_be_that()
    {
        using var tool = new InProcess();
        tool.Write("migrations/0006_a.sql", "");
        await RunAsync("bash", "-c", $"mv '{tool.Folder}/migrations/0006_a.sql' '{tool.Folder}'/migrations/$'0006_caf\\xe9.sql'");

        (await tool.RunAsync("verify")).Error.ShouldContain("can't be opened: its name is not UTF-8");
        // .NET can't delete it either.
        await RunAsync("rm", "-r", Path.Combine(tool.Folder, "migrations"));
    }

    [Fact]
    public async Task A_written_file_that_became_a_pipe_is_not_taken_back()
    {
        using var tool = new InProcess();
        var written = await tool.RunAsync("new", "tidy_up");
        var path = Path.Combine(tool.Folder, "migrations", Path.GetFileName(written.Out.Trim()));
        File.Delete(path);
        await RunAsync("mkfifo", path);

        (await tool.RunAsync("new", "--undo")).Error.ShouldContain("error CG0103: ");
        File.Exists(path).ShouldBeTrue();
    }

    [Theory]
    [InlineData(".env", "CG0906")]
    [InlineData("chatgenius-db.json", "CG0901")]
    public async Task Settings_of_more_than_a_megabyte_are_a_problem(string name, string code)
    {
        using var tool = new InProcess();
        tool.Write(name, new string(' ', 1024 * 1024 + 1));

        (await tool.RunAsync("config")).Error.ShouldStartWith($"error {code}: FOLDER/{name} can't be read: it is larger than 1 MB\n");
    }

    [Theory]
    [InlineData("CHATGENIUS_LOCK_TIMOUT", "CHATGENIUS_LOCK_TIMEOUT")]
    [InlineData("CHATGENIUS_DATABASE_ULR", "CHATGENIUS_DATABASE_URL")]
    public async Task A_misspelt_variable_is_said(string variable, string meant)
    {
        using var tool = new InProcess { Environment = { [variable] = "1s", ["CHATGENIUS_API_KEY"] = "x" } };

        var run = await tool.RunAsync("config");

        run.Error.ShouldBe($"warning CG0914: The variable {variable} is not read\n  help: Did you mean {meant}?\n");
    }

    private static InProcess Deep(string name, string text)
    {
        var tool = new InProcess();
        tool.Write(name, text);
        tool.Write("src/deep/file", "");
        if (name == ".env")
        {
            tool.Write("chatgenius-db.json", "{}");
        }

        return tool;
    }

    private static async Task ShouldBeRefused(InProcess tool, string name, string why)
    {
        var run = await tool.RunInAsync("src/deep", "config");
        run.ExitCode.ShouldBe(ExitCode.Error);
        run.Error.ShouldStartWith($"error CG0913: FOLDER/{name} is above the working directory, and {why}: ");
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0);
    }
}
