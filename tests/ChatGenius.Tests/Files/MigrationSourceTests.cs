namespace ChatGenius.Tests.Files;

public sealed class MigrationSourceTests : IDisposable
{
    private const string Empty = "-- migrate:up\n-- migrate:down\n";
    private readonly Sandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public void The_bundle_travels_with_the_tool()
    {
        var bundle = MigrationSource.Load(folder: null);

        bundle.Select(m => m.Id).ShouldBe(["0001_initial_schema", "0002_add_gauntlet_workspace", "0003_add_general_channels",
            "0004_add_ai_users", "0005_add_ai_trash_talk"]);
        bundle.ShouldAllBe(m => m.Origin == MigrationOrigin.Bundle && m.Source.Path == $"bundle/{m.Id}.sql");
    }

    [Fact]
    public void Bundle_and_folder_are_one_sequence_in_the_order_of_their_numbers()
    {
        Write("0010_b.sql", Empty);
        Write("00009_a.sql", Empty);
        Write("20260101000000_z.sql", Empty);

        var migrations = MigrationSource.Load(_sandbox.Path);

        migrations.Select(m => m.Version).ShouldBe([1, 2, 3, 4, 5, 9, 10, 20260101000000]);
        migrations[5].Source.Path.ShouldBe(Path.Combine(_sandbox.Path, "00009_a.sql"));
    }

    [Fact]
    public void Other_files_and_folders_are_passed_over()
    {
        Write("0006_a.sql", Empty);
        Write("README.md", "");
        Write(".0007_draft.sql", "");
        Write(".#0006_a.sql", "");
        Write("0006_a.trace.json", "{}");
        Write("templates/0008_b.sql", "");
        Directory.CreateDirectory(_sandbox.Combine("0009_folder.sql"));

        Load().ShouldHaveSingleItem().Version.ShouldBe(6);
    }

    [Fact]
    public void A_file_that_is_the_bundles_own_is_taken_once()
    {
        var bundled = MigrationSource.Load(folder: null)[1];
        Write($"{bundled.Id}.sql", "-- brought along\r\n" + bundled.Source.Substring(0, bundled.Source.Utf8.Length));

        var migrations = MigrationSource.Load(_sandbox.Path);

        migrations.Count.ShouldBe(5);
        migrations[1].Origin.ShouldBe(MigrationOrigin.Bundle);
    }

    [Theory]
    [InlineData("0002_add_gauntlet_workspace.sql")]
    [InlineData("2000_other.sql", "0002_other.sql")]
    public void The_bundles_number_with_something_else_is_a_problem_that_names_both(params string[] files)
    {
        foreach (var file in files)
        {
            Write(file, Empty);
        }

        var problem = Problems(bundle: true).ShouldHaveSingleItem();

        problem.Code.ShouldBe("CG0306");
        problem.Message.ShouldContain("bundle/0002_add_gauntlet_workspace.sql");
        problem.Message.ShouldContain(_sandbox.Combine(files[^1]));
    }

    [Fact]
    public void A_number_is_given_once_however_it_is_written()
    {
        Write("0006_a.sql", Empty);
        Write("00006_b.sql", "not even SQL '");

        var problems = Problems();

        problems.Select(p => p.Code).ShouldContain("CG0305");
        problems.Single(p => p.Code == "CG0305").Message.ShouldContain("00006_b.sql");
    }

    [Fact]
    public void All_problems_of_all_files_come_together_in_the_order_of_path_and_line()
    {
        Write("0008_c.sql", "-- migrate:up x:y\nselect (1;\n-- migrate:down\nselect 1;");
        Write("0006_a.sql", "-- migrate:up\nselect 'a\n-- migrate:down\n");
        Write("0007_b.sql", [.. "-- migrate:up\n-- caf"u8, 0xE9]);
        Write("seed.sql", Empty);

        Problems().Select(p => p.Code).ShouldBe(["CG0201", "CG0101", "CG0313", "CG0205", "CG0303"]);
    }

    [Fact]
    public void A_thousand_files_are_read_in_order()
    {
        for (var i = 1; i <= 1000; i++)
        {
            Write($"{i:D4}_m.sql", $"-- migrate:up\nselect {i};\n-- migrate:down\nselect 0;\n");
        }

        var migrations = Load();

        migrations.Select(m => m.Version).ShouldBe(Enumerable.Range(1, 1000).Select(i => (long)i));
        migrations.ShouldAllBe(m => m.Up.Script.Statements[0].Text == $"select {m.Version}");
    }

    [Fact]
    public void A_folder_that_nobody_named_may_be_missing()
    {
        MigrationSource.Load(_sandbox.Combine("none"), bundle: false).ShouldBeEmpty();
    }

    [Fact]
    public void A_folder_that_was_named_must_be_there()
    {
        var e = Should.Throw<ProblemException>(() => MigrationSource.Load(_sandbox.Combine("none"), bundle: false, folderMustExist: true));

        e.Problems.ShouldHaveSingleItem().Code.ShouldBe("CG0301");
        e.Problems[0].Message.ShouldContain("none");
    }

    [Theory]
    [InlineData("file.txt")]
    [InlineData("bad\0name")]
    [InlineData("loop")]
    public void A_folder_that_can_not_be_read_is_a_problem(string name)
    {
        Write("file.txt", "");
        File.CreateSymbolicLink(_sandbox.Combine("loop"), _sandbox.Combine("loop"));

        var e = Should.Throw<ProblemException>(() => MigrationSource.Load(_sandbox.Path + "/" + name, bundle: false));

        e.Problems.ShouldHaveSingleItem().Code.ShouldBe("CG0302");
    }

    [Fact]
    public void Links_that_lead_nowhere_or_in_a_circle_are_problems()
    {
        File.CreateSymbolicLink(_sandbox.Combine("0006_circle.sql"), "0006_circle.sql");
        File.CreateSymbolicLink(_sandbox.Combine("0007_nowhere.sql"), "gone.sql");

        Problems().Select(p => p.Code).ShouldBe(["CG0103", "CG0102"]);
    }

    [Fact]
    public void A_link_to_a_file_is_the_file()
    {
        Write("shared/a.txt", "-- migrate:up\nselect 1;\n-- migrate:down\nselect 2;\n");
        File.CreateSymbolicLink(_sandbox.Combine("0006_a.sql"), _sandbox.Combine("shared/a.txt"));

        Load().ShouldHaveSingleItem().Id.ShouldBe("0006_a");
    }

    private IReadOnlyList<Migration> Load() => MigrationSource.Load(_sandbox.Path, bundle: false, folderMustExist: true);

    private IReadOnlyList<Problem> Problems(bool bundle = false) =>
        Should.Throw<ProblemException>(() => MigrationSource.Load(_sandbox.Path, bundle)).Problems;

    private void Write(string name, string text) => _sandbox.Write(name, text);

    private void Write(string name, byte[] bytes) => _sandbox.Write(name, bytes);
}
