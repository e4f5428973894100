namespace ChatGenius.Tests.Support;

public class SnapshotTests
{
    [Fact]
    public async Task A_snapshot_is_found_beside_its_test_after_an_await()
    {
        await Task.Yield();

        Snapshot.Match("SELECT 1;\n", "sql");
    }

    [Theory]
    [InlineData("one")]
    [InlineData("two")]
    public void A_discriminator_keeps_the_cases_of_a_theory_apart(string name)
    {
        Snapshot.Match(name, "txt", name);
    }

    [Fact]
    public void A_text_that_differs_fails()
    {
        Should.Throw<ShouldMatchApprovedException>(() =>
            Snapshot.Match("other", "txt", "one", Path(), nameof(A_discriminator_keeps_the_cases_of_a_theory_apart)));

        File.Delete(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Path())!, "snapshots",
            "SnapshotTests.A_discriminator_keeps_the_cases_of_a_theory_apart.one.received.txt"));

        static string Path([System.Runtime.CompilerServices.CallerFilePath] string path = "") => path;
    }
}
