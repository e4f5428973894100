using ChatGenius.Db.Text;

namespace ChatGenius.Tests.Text;

public class WholeFileTests
{
    [Fact]
    public void A_link_stays_one_and_who_may_read_the_file_stays_as_it_was()
    {
        using var sandbox = new Sandbox();
        var file = sandbox.Write("report.html", "old");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        var link = Path.Combine(sandbox.Path, "latest.html");
        File.CreateSymbolicLink(link, "report.html");

        WholeFile.Write(link, Encoding.UTF8.GetBytes("new"), overwrite: true);

        File.ReadAllText(file).ShouldBe("new");
        new FileInfo(link).LinkTarget.ShouldBe("report.html");
        Directory.GetFiles(sandbox.Path).Length.ShouldBe(2);
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    [Fact]
    public void A_link_that_leads_to_nothing_yet_is_followed()
    {
        using var sandbox = new Sandbox();
        var link = Path.Combine(sandbox.Path, "latest.html");
        File.CreateSymbolicLink(link, "report.html");

        WholeFile.Write(link, Encoding.UTF8.GetBytes("new"), overwrite: true);

        File.ReadAllText(Path.Combine(sandbox.Path, "report.html")).ShouldBe("new");
        new FileInfo(link).LinkTarget.ShouldBe("report.html");
    }

    [Fact]
    public void Who_reads_a_file_on_a_RAM_disk_meanwhile_sees_the_old_one()
    {
        var path = Path.Combine(TestServer.FastFolder, $"chatgenius-whole-{Guid.NewGuid():N}");
        try
        {
            File.WriteAllText(path, "old");
            using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete));

            WholeFile.Write(path, "new"u8, overwrite: true);

            reader.ReadToEnd().ShouldBe("old");
            File.ReadAllText(path).ShouldBe("new");
        }
        finally
        {
            File.Delete(path);
        }
    }
}
