using System.Text;
using ChatGenius.Db.Text;
using ChatGenius.Tests.Support;

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
}
