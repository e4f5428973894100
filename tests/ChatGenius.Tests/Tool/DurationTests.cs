using ChatGenius.Tool.Output;

namespace ChatGenius.Tests.Tool;

public class DurationTests
{
    [Theory]
    [InlineData(0.04, "0 ms")]
    [InlineData(0.44, "0.4 ms")]
    [InlineData(9.94, "9.9 ms")]
    [InlineData(9.96, "10 ms")]
    [InlineData(999.4, "999 ms")]
    [InlineData(999.9, "1.00 s")]
    [InlineData(9994, "9.99 s")]
    [InlineData(12345, "12.3 s")]
    [InlineData(59990, "1 min 00 s")]
    [InlineData(125000, "2 min 05 s")]
    [InlineData(3599900, "1 h 00 min")]
    [InlineData(12000000, "3 h 20 min")]
    public void A_duration_has_at_most_three_digits_or_two_units(double milliseconds, string text)
    {
        Duration.Format(TimeSpan.FromTicks((long)(milliseconds * TimeSpan.TicksPerMillisecond))).ShouldBe(text);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("500ms", 500)]
    [InlineData("1.5s", 1500)]
    [InlineData("5 s", 5000)]
    [InlineData("2m", 120000)]
    [InlineData("2min", 120000)]
    [InlineData("1h", 3600000)]
    [InlineData("2147483647ms", 2147483647)]
    public void A_number_with_a_unit_is_read_and_written_back(string text, double milliseconds)
    {
        Duration.TryParse(text, out var duration).ShouldBeTrue();

        duration.TotalMilliseconds.ShouldBe(milliseconds);
        Duration.TryParse(Duration.Write(duration), out var again).ShouldBeTrue();
        again.ShouldBe(duration);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("-5s")]
    [InlineData("5 parsecs")]
    [InlineData("2147483648ms")]
    [InlineData("9999999999h")]
    [InlineData("1e3s")]
    [InlineData("5s\n")]
    [InlineData("٥s")]
    public void Anything_else_is_refused(string text)
    {
        Duration.TryParse(text, out _).ShouldBeFalse();
    }
}
