namespace ChatGenius.Tests.Files;

public class MigrationFolderTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private static readonly Numbering Numbering = new(Now);

    [Theory]
    [InlineData(new long[] { }, 1)]
    [InlineData(new long[] { 1, 5, 3 }, 6)]
    [InlineData(new long[] { 9999 }, 10000)]
    [InlineData(new long[] { 20250101000000 }, 20261123120000)]
    [InlineData(new long[] { 20261123120000 }, 20261123120001)]
    [InlineData(new long[] { 20991231235959 }, 20991231235960)]
    public void The_next_number_is_the_highest_plus_one_or_the_time_where_times_are_used(long[] taken, long next) =>
        MigrationNumber.Next(taken, Now).ShouldBe(next);

    [Fact]
    public void After_the_highest_number_of_all_there_is_none() =>
        Should.Throw<ProblemException>(() => MigrationNumber.Next([MigrationNumber.Highest], Now)).Problems[0].Code.ShouldBe("CG0815");

    [Theory]
    [InlineData("0006_a.sql", 6L)]
    [InlineData("20260101000000_a.sql", 20260101000000L)]
    [InlineData("6_a", 6L)]
    [InlineData("a.sql", null)]
    [InlineData("_a.sql", null)]
    [InlineData("0006.sql", null)]
    [InlineData("-6_a.sql", null)]
    [InlineData("99999999999999999999_a.sql", null)]
    public void A_number_is_what_a_file_name_begins_with(string name, long? number) => MigrationNumber.Of(name).ShouldBe(number);

    [Fact]
    public async Task Files_get_the_numbers_after_everything_that_is_taken()
    {
        using var sandbox = new Sandbox();
        sandbox.Write("m/0007_there.sql", "");
        var folder = new MigrationFolder(sandbox.Combine("m"));

        var paths = await folder.AddAsync([new("a", "A\n"), new("b", "B\n")], ["0005_e.sql", "0008_h.sql"], Numbering);

        paths.Select(Path.GetFileName).ShouldBe(["0009_a.sql", "0010_b.sql"]);
        sandbox.Read("m/0009_a.sql").ShouldBe("A\n");
        Directory.GetFileSystemEntries(sandbox.Combine("m")).Length.ShouldBe(3);
    }

    [Fact]
    public async Task Sixteen_at_once_get_sixteen_numbers()
    {
        using var sandbox = new Sandbox();
        var path = sandbox.Combine("m");

        var added = await Task.WhenAll(Enumerable.Range(0, 16)
            .Select(i => Task.Run(() => new MigrationFolder(path)
                .AddAsync([new($"x{i}", ""), new($"y{i}", "")], ["0005_e.sql"], Numbering))));

        added.SelectMany(paths => paths).Select(p => MigrationNumber.Of(Path.GetFileName(p))).Order()
            .ShouldBe(Enumerable.Range(6, 32).Select(n => (long?)n));
        Directory.GetFileSystemEntries(path).Length.ShouldBe(32);
    }

    [Fact]
    public async Task A_lock_that_a_killed_run_left_is_a_problem_that_names_it()
    {
        using var sandbox = new Sandbox();
        sandbox.Write(".chatgenius-db.lock", "");

        var adding = () => new MigrationFolder(sandbox.Path).AddAsync([new("a", "")], [], Numbering);
        var problem = (await Should.ThrowAsync<ProblemException>(adding)).Problems[0];

        problem.Code.ShouldBe("CG0814");
        problem.Advice.ShouldNotBeNull().ShouldContain(sandbox.Combine(".chatgenius-db.lock"));
    }

    [Fact]
    public async Task A_folder_that_is_a_file_is_a_problem()
    {
        using var sandbox = new Sandbox();
        var path = sandbox.Write("migrations", "");

        (await Should.ThrowAsync<ProblemException>(() => new MigrationFolder(path).AddAsync([new("a", "")], [], Numbering))).Problems[0]
            .Code.ShouldBe("CG0813");
    }

    [Fact]
    public async Task Where_one_file_can_not_be_written_none_is()
    {
        using var sandbox = new Sandbox();

        await Should.ThrowAsync<ProblemException>(() => new MigrationFolder(sandbox.Path)
            .AddAsync([new("a", ""), new(new string('b', 300), "")], [], Numbering));

        Directory.GetFileSystemEntries(sandbox.Path).ShouldBeEmpty();
    }

    [Fact]
    public async Task Renumbering_takes_along_what_lies_beside_a_migration_and_overwrites_nothing()
    {
        using var sandbox = new Sandbox();
        foreach (var name in (string[])["0006_theirs.sql", "0006_mine.sql", "0006_mine.trace.json", "0007_mine.sql",
            "0006_mine_too.sql.bak"])
        {
            sandbox.Write(name, name);
        }

        await new MigrationFolder(sandbox.Path).RenumberAsync(_ =>
            [new("0006_mine.sql", "0007_mine.sql"), new("0007_mine.sql", "0008_mine.sql")]);

        Directory.GetFiles(sandbox.Path).Select(path => $"{Path.GetFileName(path)} was {File.ReadAllText(path)}").Order().ShouldBe(
        [
            "0006_mine_too.sql.bak was 0006_mine_too.sql.bak",
            "0006_theirs.sql was 0006_theirs.sql",
            "0007_mine.sql was 0006_mine.sql",
            "0007_mine.trace.json was 0006_mine.trace.json",
            "0008_mine.sql was 0007_mine.sql",
        ]);
    }

    /// <summary>The table of an import has the new names where the renaming holds, and is as it was where it does not.</summary>
    [Theory]
    [InlineData(false, "# mine\r\ngoose\t6\t0007_mine.sql\r\ngoose\t60\t0006_mine.sql.bak\ngoose\t7\t0008_mine.sql")]
    [InlineData(true, "# mine\r\ngoose\t6\t0006_mine.sql\r\ngoose\t60\t0006_mine.sql.bak\ngoose\t7\t0007_mine.sql")]
    public async Task Renumbering_takes_along_the_table_of_an_import(bool fails, string expected)
    {
        using var sandbox = new Sandbox();
        sandbox.Write("0006_mine.sql", "");
        sandbox.Write("0007_mine.sql", "");
        sandbox.Write("imported.tsv", "# mine\r\ngoose\t6\t0006_mine.sql\r\ngoose\t60\t0006_mine.sql.bak\ngoose\t7\t0007_mine.sql");

        var renaming = new MigrationFolder(sandbox.Path).RenumberAsync(
            _ => [new("0006_mine.sql", "0007_mine.sql"), new("0007_mine.sql", "0008_mine.sql")],
            () => fails ? throw new InvalidOperationException() : Task.CompletedTask);

        await (fails ? (Task)Should.ThrowAsync<InvalidOperationException>(() => renaming) : renaming);
        File.ReadAllText(Path.Combine(sandbox.Path, "imported.tsv")).ShouldBe(expected);
        File.Exists(Path.Combine(sandbox.Path, "0006_mine.sql")).ShouldBe(fails);
    }
}
