using ChatGenius.Db.Text;
using ChatGenius.Tool.Output;

namespace ChatGenius.Tests.Tool;

public class ProblemTextTests
{
    [Fact]
    public void The_caret_stands_under_what_is_meant()
    {
        Lines(Place("select nope from t", "nope")).ShouldBe(["   1 | select nope from t", "     |        ^^^^"]);
    }

    [Fact]
    public void Tabs_are_shown_as_spaces_so_that_the_caret_stays_under_its_word()
    {
        Lines(Place("\ta\tnope", "nope")).ShouldBe(["   1 |     a   nope", "     |         ^^^^"]);
    }

    [Fact]
    public void Wide_characters_take_two_cells_each()
    {
        Lines(Place("'漢字😀' 誤り x", "誤り")).ShouldBe(["   1 | '漢字😀' 誤り x", "     |          ^^^^"]);
    }

    [Fact]
    public void Combining_characters_take_none()
    {
        Lines(Place("'e\u0301' nope", "nope")).ShouldBe(["   1 | 'e\u0301' nope", "     |     ^^^^"]);
    }

    [Fact]
    public void The_end_of_a_line_has_a_caret_behind_it()
    {
        var source = SourceText.From("f.sql", "select");

        Lines(source.At(6)).ShouldBe(["   1 | select", "     |       ^"]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(50)]
    [InlineData(500)]
    [InlineData(995)]
    public void A_long_line_is_cut_around_the_caret(int at)
    {
        var line = string.Concat(Enumerable.Range(0, 1000).Select(i => i == at ? 'X' : 'a'));

        var (text, caret) = Lines(SourceText.From("f.sql", line).At(at)) is [var t, var c] ? (t, c) : throw new InvalidOperationException();

        text.Length.ShouldBeLessThanOrEqualTo(60);
        text[caret.IndexOf('^', StringComparison.Ordinal)].ShouldBe('X');
        text.StartsWith("   1 | …", StringComparison.Ordinal).ShouldBe(at > 50);
        text.EndsWith('…').ShouldBe(at < 990);
    }

    [Fact]
    public void A_long_line_of_wide_characters_is_cut_to_whole_ones()
    {
        var line = string.Concat(Enumerable.Repeat("漢", 300)) + "X" + string.Concat(Enumerable.Repeat("字", 300));

        var lines = Lines(SourceText.From("f.sql", line).At(900));

        Cells.Width(lines[0]).ShouldBeLessThanOrEqualTo(60);
        Cells.Width(lines[0][..lines[0].IndexOf('X', StringComparison.Ordinal)]).ShouldBe(lines[1].IndexOf('^', StringComparison.Ordinal));
    }

    [Fact]
    public void A_mark_that_covers_more_than_is_shown_ends_with_the_line()
    {
        var lines = Lines(SourceText.From("f.sql", new string('a', 500)).At(0, 500));

        lines[1].Length.ShouldBeLessThanOrEqualTo(60);
    }

    [Fact]
    public void Nothing_in_a_file_or_message_reaches_the_terminal_as_a_command()
    {
        var text = ProblemText.Of(
            new Problem("CG0502", "a\e[2Jb\u202Ec", SourceText.From("f.sql", "\e]0;title\a x").At(0)), 60, default);

        text.ShouldNotContain('\e');
        text.ShouldNotContain('\a');
        text.ShouldNotContain('\u202E');
    }

    [Fact]
    public void Further_lines_of_a_message_and_of_the_advice_are_indented()
    {
        ProblemText.Of(new Problem("CG0502", "first\nsecond", Advice: "do this\nand that"), 60, default)
            .ShouldBe("error CG0502: first\n  second\n  help: do this\n        and that\n");
    }

    private static SourceLocation Place(string line, string word)
    {
        var source = SourceText.From("f.sql", line);
        var bytes = System.Text.Encoding.UTF8;
        return source.At(bytes.GetByteCount(line[..line.IndexOf(word, StringComparison.Ordinal)]), bytes.GetByteCount(word));
    }

    private static string[] Lines(SourceLocation where) =>
        ProblemText.Of(new Problem("CG0502", "m", where), width: 60, default).TrimEnd('\n').Split('\n')[2..];
}
