using ChatGenius.Db.Imports;

namespace ChatGenius.Tests.Imports;

public class ImportPlanTests
{
    /// <summary>A number that is one of ours stays where it can; the order is that of the tool.</summary>
    [Theory]
    [InlineData("1 2 10", "0001 0002 0010")]
    [InlineData("0000 0001 0002", "0001 0002 0003")]
    [InlineData("0130 0131 0131 0132", "0130 0131 0132 0133")]
    [InlineData("1 1.1 1.2 2 7", "0001 0002 0003 0004 0007")]
    [InlineData("20240101000000 20240102000000", "20240101000000 20240102000000")]
    [InlineData("0 20240101000000", "0001 20240101000000")]
    [InlineData("10 9 11", "0010 0011 0012")]
    [InlineData("00000001 00000002", "00000001 00000002")]
    [InlineData("99999999999999999999 5", "0001 0005")]
    [InlineData("~ ~ ~", "0001 0002 0003")]
    public void Numbers(string theirs, string ours) =>
        string.Join(' ', Plan(theirs, []).Select(file => file.File[..file.File.IndexOf('_')])).ShouldBe(ours);

    [Fact]
    public void With_the_bundle_they_come_after_it_and_what_is_in_it_is_left_out()
    {
        var bundle = MigrationSource.Load(null);
        var files = ImportPlan.Of(
            "goose", [Of("0001", "initial_schema"), Of("0002", "mine"), Of("0006", "more")], bundle, "migrations", []);

        files.Select(file => file.File).ShouldBe(["0001_initial_schema.sql", "0006_mine.sql", "0007_more.sql"]);
        files.Select(file => file.State).ShouldBe([ImportState.InBundle, ImportState.New, ImportState.New]);
    }

    [Fact]
    public void A_number_that_another_file_has_is_refused() => Should.Throw<ProblemException>(() => Plan("1 2", ["0002_other.sql"]))
        .Problems.Select(problem => problem.Code).ShouldBe(["CG1504"]);

    [Theory]
    [InlineData("", "", "-- migrate:up\n\n-- migrate:down\n")]
    [InlineData("SELECT 1", null, "-- migrate:up\nSELECT 1\n\n-- migrate:down irreversible:true\n-- goose has no statements that undo "
        + "it.\n")]
    [InlineData("SELECT 1;\n", "-- no\n",
        "-- migrate:up\nSELECT 1;\n\n-- migrate:down irreversible:true\n-- goose has no statements that undo it.\n-- no\n")]
    [InlineData("SELECT 1;\n", "SELECT 2;\n", "-- migrate:up\nSELECT 1;\n\n-- migrate:down\nSELECT 2;\n")]
    public void Texts(string up, string? down, string text) => ImportPlan.Of(
        "goose", [new ImportedMigration("db/1_a\n.sql", "1", "a", up, down)], [], "migrations", [])
        .Single().Text.ShouldBe($"-- Imported from goose: 1_a?.sql\n{text}");

    [Theory]
    [InlineData("addUsers", "add_users")]
    [InlineData("add-users to_x.y", "add_users_to_x_y")]
    [InlineData("schemas/é", "schemas")]
    [InlineData("é", "migration")]
    [InlineData("", "migration")]
    public void Names(string theirs, string ours) => ImportedMigration.NameOf(theirs).ShouldBe(ours);

    [Fact]
    public void A_long_name_is_cut() => ImportedMigration.NameOf(new string('a', 300)).Length.ShouldBeLessThan(MigrationName.MaxLength);

    private static IReadOnlyList<ImportedFile> Plan(string versions, string[] there) =>
        ImportPlan.Of("goose", [.. versions.Split(' ').Select(version => Of(version.Trim('~'), "a"))], [], "migrations", there);

    private static ImportedMigration Of(string version, string name) => new($"{version}_{name}.sql", version, name, "SELECT 1;\n",
        "SELECT 2;\n");
}
