using ChatGenius.Db.Text;

namespace ChatGenius.Tests.Text;

public class SourceTextTests
{
    [Theory]
    [InlineData("a\nbc\ndef", 5, 3, 1)]
    [InlineData("a\r\nbc\r\ndef", 7, 3, 1)]
    [InlineData("a\rbc\rdef", 5, 3, 1)]
    [InlineData("", 0, 1, 1)]
    [InlineData("a\n", 2, 2, 1)]
    public void An_offset_becomes_a_line_and_a_column_for_every_line_ending(string text, int offset, int line, int column)
    {
        var where = SourceText.From("f.sql", text).At(offset);

        (where.Line, where.Column).ShouldBe((line, column));
    }

    [Fact]
    public void Columns_count_characters_outside_the_BMP_once()
    {
        var text = SourceText.From("f.sql", "ä😀x y");

        text.At(Encoding.UTF8.GetByteCount("ä😀")).Column.ShouldBe(3);
        text.Advance(0, 2).ShouldBe(Encoding.UTF8.GetByteCount("ä😀"));
    }

    [Fact]
    public void A_byte_order_mark_is_no_part_of_the_text()
    {
        SourceText.From("f.sql", (byte[])[0xEF, 0xBB, 0xBF, (byte)'a']).Utf8.Length.ShouldBe(1);
    }

    [Fact]
    public void Latin_1_is_a_problem_that_points_at_the_byte()
    {
        var problem = Should.Throw<ProblemException>(() =>
            SourceText.From("f.sql", Encoding.Latin1.GetBytes("-- ok\n-- café"))).Problems.ShouldHaveSingleItem();

        problem.Code.ShouldBe("CG0101");
        problem.Where!.ToString().ShouldBe("f.sql:2:7");
    }

    [Fact]
    public void UTF_16_is_named_as_such()
    {
        var problem = Should.Throw<ProblemException>(() =>
            SourceText.From("f.sql", (byte[])[0xFF, 0xFE, 0x41, 0])).Problems.ShouldHaveSingleItem();

        problem.Message.ShouldContain("UTF-16");
    }

    [Fact]
    public async Task A_missing_file_is_a_problem()
    {
        var e = await Should.ThrowAsync<ProblemException>(() => SourceText.ReadAsync("no/such/file.sql"));

        e.Problems[0].Code.ShouldBe("CG0102");
    }

    [Theory]
    [InlineData(4 * 1024 * 1024)]
    [InlineData((9 * 1024 * 1024) + 3)]
    public void A_large_file_is_read_whole_and_in_order(int length)
    {
        using var sandbox = new Sandbox();
        var bytes = new byte[length];
        for (var i = 0; i < length; i++)
        {
            bytes[i] = (byte)('a' + (i % 23));
        }

        SourceText.Read(sandbox.Write("large.sql", bytes)).Utf8.Span.SequenceEqual(bytes).ShouldBeTrue();
    }
}
