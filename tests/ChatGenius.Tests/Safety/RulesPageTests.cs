using System.Runtime.CompilerServices;
using ChatGenius.Db.Safety;

namespace ChatGenius.Tests.Safety;

public class RulesPageTests
{
    [Fact]
    public void The_page_of_rules_that_is_checked_in_is_the_one_that_the_rules_make()
    {
        var path = Page();
        var page = RulesPage.Write();
        if (Environment.GetEnvironmentVariable("CHATGENIUS_WRITE_RULES") == "1")
        {
            File.WriteAllText(path, page);
        }

        File.ReadAllText(path).ReplaceLineEndings("\n")
            .ShouldBe(page, $"Run this test once with CHATGENIUS_WRITE_RULES=1 and commit {path}.");
    }

    private static string Page([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../src/ChatGenius.Db/Safety/RULES.md"));
}
