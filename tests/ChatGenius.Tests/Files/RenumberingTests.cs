namespace ChatGenius.Tests.Files;

public class RenumberingTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    /// <summary>A star marks what is applied, a plus what is named; the numbers are taken elsewhere.</summary>
    [Theory]
    [InlineData("", new long[] { 5 }, "")]
    [InlineData("0006_a 0007_b", new long[] { 5 }, "")]
    [InlineData("0006_a 0007_b", new long[] { 6 }, "0006_a>0007_a 0007_b>0008_b")]
    [InlineData("0006_a 0009_b", new long[] { 6 }, "0006_a>0007_a")]
    [InlineData("*0006_a 0006_b 0007_c", new long[] { 5 }, "0006_b>0007_b 0007_c>0008_c")]
    [InlineData("*0006_a *0009_d 0007_c", new long[] { 5 }, "0007_c>0010_c")]
    [InlineData("*0006_a 0007_c 0012_d", new long[] { 5, 8 }, "0007_c>0009_c")]
    [InlineData("0006_a +0006_b 0007_c", new long[] { 5 }, "0006_b>0008_b")]
    [InlineData("0006_a +0006_b +0007_c", new long[] { 5 }, "0006_b>0007_b 0007_c>0008_c")]
    [InlineData("+0006_a +0006_b", new long[] { 5 }, "0006_b>0007_b")]
    [InlineData("000006_a", new long[] { 6 }, "000006_a>000007_a")]
    [InlineData("*20261101000000_a 20261031000000_b", new long[] { 5 }, "20261031000000_b>20261123120000_b")]
    public void What_is_not_applied_moves_behind_what_came_in(string files, long[] taken, string expected)
    {
        var words = files.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var folder = words.Select(word => new NumberedFile(word.TrimStart('*', '+'), MigrationNumber.Of(word.TrimStart('*', '+'))!.Value,
            word[0] == '*')).ToList();
        var named = words.Where(word => word[0] == '+').Select(word => word[1..]).ToList();

        string.Join(' ', Renumbering.Plan(folder, taken, named, Now).Select(one => $"{one.From}>{one.To}")).ShouldBe(expected);
    }

    [Fact]
    public void Two_that_share_a_number_and_are_not_applied_are_a_problem_that_asks_for_a_name()
    {
        var problem = Should.Throw<ProblemException>(() => Renumbering.Plan([new("0006_b.sql", 6, false), new("0006_a.sql", 6, false)], [5],
            [], Now)).Problems[0];

        (problem.Code, problem.Message).ShouldBe(("CG0816",
            "The number 0006 is taken by 0006_a.sql and 0006_b.sql, and none of them is known to be applied"));
    }

    [Fact]
    public void What_is_applied_or_not_there_can_not_be_named()
    {
        var problems = Should.Throw<ProblemException>(() =>
            Renumbering.Plan([new("0006_a.sql", 6, true)], [5], ["0006_a.sql", "0007_x.sql"], Now)).Problems;

        problems.Select(problem => problem.Code).ShouldBe(["CG0817", "CG0817"]);
    }
}
