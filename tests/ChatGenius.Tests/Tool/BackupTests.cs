using ChatGenius.Tool;

namespace ChatGenius.Tests.Tool;

public class BackupTests
{
    private const string Migration = "-- migrate:up\nCREATE TABLE one (i int);\n-- migrate:down\nDROP TABLE one;\n";

    [Fact]
    public async Task A_backup_is_made_before_and_named_in_the_history()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = new InProcess();
        tool.Write("migrations/0001_one.sql", Migration);

        var apply = await tool.RunAsync("apply", "--no-bundle", "-d", db.Url.ConnectionString, "--backup", "safe");
        var status = await tool.RunAsync("status", "--no-bundle", "-d", db.Url.ConnectionString, "--json");
        var again = await tool.RunAsync("apply", "--no-bundle", "-d", db.Url.ConnectionString, "--backup", "other");

        apply.ExitCode.ShouldBe(ExitCode.Done, apply.Error);
        var file = Directory.GetFiles(Path.Combine(tool.Folder, "safe")).ShouldHaveSingleItem();
        apply.Error.ShouldContain($"The backup is FOLDER/safe/{Path.GetFileName(file)} (");
        JsonDocument.Parse(status.Out).RootElement.GetProperty("migrations")[0].GetProperty("backup").GetString()
            .ShouldBe($"FOLDER/safe/{Path.GetFileName(file)}");
        again.ExitCode.ShouldBe(ExitCode.Done);
        Directory.Exists(Path.Combine(tool.Folder, "other")).ShouldBeFalse("Nothing was pending.");
    }

    [Fact]
    public async Task Without_a_folder_the_settings_say_where()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = new InProcess();
        tool.Write("migrations/0001_one.sql", Migration);
        tool.Write("chatgenius-db.json", """{ "backups": "a/b" }""");

        var apply = await tool.RunAsync("apply", "--backup", "--no-bundle", "-d", db.Url.ConnectionString);

        apply.ExitCode.ShouldBe(ExitCode.Done, apply.Error);
        Directory.GetFiles(Path.Combine(tool.Folder, "a", "b"), "*_before_0001.dump").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task An_environment_can_require_a_backup()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = new InProcess();
        tool.Write("migrations/0001_one.sql", Migration);
        tool.Write("chatgenius-db.json", """{ "environments": { "production": { "require_backup": true } } }""");

        var without = await tool.RunAsync("apply", "--env", "production", "--no-bundle", "-d", db.Url.ConnectionString);
        var dryRun = await tool.RunAsync("apply", "--env", "production", "--no-bundle", "-d", db.Url.ConnectionString, "--dry-run");

        without.Error.ShouldStartWith("error CG1307: The environment \"production\" requires a backup");
        dryRun.ExitCode.ShouldBe(ExitCode.Done, dryRun.Error);
        (await db.ScalarAsync<bool>("SELECT to_regclass('one') IS NULL")).ShouldBeTrue();

        var with = await tool.RunAsync("apply", "--env", "production", "--no-bundle", "-d", db.Url.ConnectionString, "--backup");
        with.ExitCode.ShouldBe(ExitCode.Done, with.Error);
    }

    [Fact]
    public async Task A_backup_that_fails_leaves_the_database_as_it_was()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = new InProcess();
        tool.Write("migrations/0001_one.sql", Migration);
        tool.Environment["CHATGENIUS_POSTGRES_BIN"] = tool.Folder;

        var apply = await tool.RunAsync("apply", "--no-bundle", "-d", db.Url.ConnectionString, "--backup");

        apply.Error.ShouldStartWith("error CG1301: ");
        (await db.ScalarAsync<bool>("SELECT to_regclass('one') IS NULL")).ShouldBeTrue();
    }

    [Fact]
    [Trait("Needs", "Unix")]
    public async Task Ctrl_C_ends_pg_dump_and_nothing_is_applied()
    {
        await using var db = await TestDatabase.CreateAsync();
        await db.ExecuteAsync("CREATE TABLE busy ()");
        using var sandbox = new Sandbox();
        sandbox.Write("migrations/0001_one.sql", Migration);
        await using var holder = await db.ConnectAsync();
        await using var hold = new NpgsqlCommand("BEGIN; LOCK TABLE busy IN ACCESS EXCLUSIVE MODE", holder);
        await hold.ExecuteNonQueryAsync();

        await using var tool = ToolProcess.Start(
            ["apply", "--fresh", "--no-bundle", "-d", db.Url.ConnectionString, "--backup", "safe"], sandbox.Path);
        await tool.WaitForOutputAsync("Backing up");
        tool.Interrupt();
        var result = await tool.ExitAsync();

        result.ExitCode.ShouldBe(130, result.Error);
        result.Error.ShouldEndWith("Cancelled\n");
        Directory.GetFileSystemEntries(sandbox.Combine("safe")).ShouldBeEmpty();
        (await db.ScalarAsync<bool>("SELECT to_regclass('one') IS NULL")).ShouldBeTrue();
    }
}
