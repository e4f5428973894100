using ChatGenius.Db.Text;
using ChatGenius.Tool.Configuration;

namespace ChatGenius.Tests.Tool;

public class DotEnvTests
{
    [Theory]
    [InlineData("A=b", "b")]
    [InlineData("  A = b  ", "b")]
    [InlineData("export A=b", "b")]
    [InlineData("A=b # comment", "b")]
    [InlineData("A=b#c", "b#c")]
    [InlineData("A=", "")]
    [InlineData("A='b # $c \\n'", "b # $c \\n")]
    [InlineData("A=\"b\\n\\\"c\\\" \\$d $e\" # comment", "b\n\"c\" $d $e")]
    [InlineData("A=\"b\nc\"", "b\nc")]
    [InlineData("A=b\r\nB=c", "b")]
    [InlineData("# comment\n\nnot an assignment\n1X=2\nA=first\nA=b", "b")]
    [InlineData("A=p$ss=w@rd", "p$ss=w@rd")]
    public void A_value_is_read_as_a_shell_would_but_never_expanded(string text, string value)
    {
        DotEnv.Parse(SourceText.From(".env", text))["A"].ShouldBe(value);
    }

    [Fact]
    public void A_quote_without_an_end_is_a_problem_that_does_not_show_the_line()
    {
        var problem = Should.Throw<ProblemException>(() =>
            DotEnv.Parse(SourceText.From(".env", "B=1\nDATABASE_URL=\"postgres://a:secret@h/d\n"))).Problems[0];

        problem.Code.ShouldBe("CG0911");
        problem.Message.ShouldContain(".env:2:14");
        problem.Where.ShouldBeNull();
    }
}
