using ChatGenius.Db.Templates.Scriban;

namespace ChatGenius.Tests.Templates.Scriban;

public class BlockTests
{
    private static string Render(string text)
    {
        var template = Template.Parse(text);
        template.Messages.ShouldBeEmpty();
        return template.Render(new ScriptObject { ["x"] = "X", ["lines"] = "one\ntwo\n", ["list"] = new[] { "a", "b" } });
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("plain { text } {% with } braces }}", "plain { text } {% with } braces }}")]
    [InlineData("a {{ x }} b", "a X b")]
    [InlineData("{{x}}{{x}}", "XX")]
    [InlineData("{{}}", "")]
    [InlineData("{{ }}", "")]
    [InlineData("{{\n\n}}", "")]
    [InlineData("{{;;x;;}}", "X")]
    [InlineData("{{ y = 5\n y\n y + 1 }}", "56")]
    [InlineData("{{ y = 5; y; y + 1 }}", "56")]
    [InlineData("{{ y = 5 }}\n{{ y }}", "\n5")]
    [InlineData("{{x\r\nx\rx}}", "XXX")]
    public void Text_and_code(string template, string text) => Render(template).ShouldBe(text);

    [Theory]
    [InlineData("{{ x # not shown }}", "X")]
    [InlineData("{{ # a line\n x }}", "X")]
    [InlineData("{{ ## several\nlines ## x }}", "X")]
    [InlineData("{{ ## to the end }}y", "y")]
    [InlineData("{{# only -}}  y", "y")]
    [InlineData("{{ x = [ # first\n 1, # second\n 2 ]\n x.size }}", "2")]
    public void Comments(string template, string text) => Render(template).ShouldBe(text);

    [Theory]
    [InlineData("{%{ {{ x }} }%}", " {{ x }} ")]
    [InlineData("{%{}%}", "")]
    [InlineData("{%%{ }%} }%%}", " }%} ")]
    [InlineData("a {%{-}%} b", "a b")]
    [InlineData("a \n{%{- b }%}", "a b ")]
    [InlineData("{%{ b -}%} \n c", " b c")]
    [InlineData("{%{ b ~}%} \n c", " b  c")]
    [InlineData("  {%{~ b }%}", " b ")]
    [InlineData("{%{a}}%}", "a}")]
    public void Escape_blocks(string template, string text) => Render(template).ShouldBe(text);

    [Theory]
    [InlineData("a  {{- x }}", "aX")]
    [InlineData("a \n\n\t {{- x }}", "aX")]
    [InlineData("{{ x -}} \r\n\n b", "Xb")]
    [InlineData("a \n{{- x -}}\n b", "aXb")]
    [InlineData("{{- x -}}", "X")]
    [InlineData(" \n {{- x }}", "X")]
    [InlineData("a \n  {{~ x }}", "a \nX")]
    [InlineData("a  {{~ x }}", "aX")]
    [InlineData("  {{~ x }}", "X")]
    [InlineData("a\r\n  {{~ x }}", "a\r\nX")]
    [InlineData("a\r  {{~ x }}", "a\rX")]
    [InlineData("{{ x ~}}  \n\n b", "X\n b")]
    [InlineData("{{ x ~}}\r\n\r\n b", "X\r\n b")]
    [InlineData("{{ x ~}}  b", "Xb")]
    [InlineData("{{ x ~}}  \n  b", "X  b")]
    [InlineData("{{x-}} {{-x}}", "XX")]
    [InlineData("{{ x -}} {{ x }}", "XX")]
    [InlineData("a\n{{~ x ~}}\nb", "a\nXb")]
    [InlineData("<{{ 3 -}}   >", "<3>")]
    public void White_space_is_stripped_to_the_letter(string template, string text) => Render(template).ShouldBe(text);

    [Theory]
    [InlineData("(\n  {{~ for i in list ~}}\n  {{ i }},\n  {{~ end ~}}\n)", "(\n  a,\n  b,\n)")]
    [InlineData("{{~ if true ~}}\nyes\n{{~ else ~}}\nno\n{{~ end ~}}\nend", "yes\nend")]
    [InlineData("{{~ if false ~}}\nyes\n{{~ else ~}}\nno\n{{~ end ~}}\nend", "no\nend")]
    [InlineData("[\n{{~ for i in 1..2 ~}}\n  [\n  {{~ for j in 1..2 ~}}\n    {{ i }}{{ j }}\n  {{~ end ~}}\n  ]\n{{~ end ~}}\n]",
        "[\n  [\n    11\n    12\n  ]\n  [\n    21\n    22\n  ]\n]")]
    [InlineData("a{{ if true }}\nb\n{{ end }}c", "a\nb\nc")]
    public void A_statement_alone_on_its_line_leaves_no_line(string template, string text) => Render(template).ShouldBe(text);

    /// <summary>
    /// The odd ones among these are how the package does it: only a block that follows text on its line has an indent, and text
    /// inside a statement is written with the indent of the statement.
    /// </summary>
    [Theory]
    [InlineData("  {{ lines }}end", "  one\n  two\nend")]
    [InlineData("\n\t{{ lines }}", "\n\tone\n\ttwo\n")]
    [InlineData("-  {{ lines }}", "-  one\ntwo\n")]
    [InlineData("  {{~ lines }}", "one\ntwo\n")]
    [InlineData("{{ x -}}\n  {{ lines }}", "Xone\ntwo\n")]
    [InlineData("{{ x ~}}\n  {{ lines }}", "X  one\n  two\n")]
    [InlineData("  {{ if true }}{{ lines }}{{ end }}", "  one\ntwo\n")]
    [InlineData("  {{ if true }}\na\n{{ end }}", "  \n  a\n")]
    [InlineData("  {{ for i in list }}{{ i }}\n{{ end }}", "  a\nb  \n")]
    [InlineData("  {{ lines }}\n  {{ lines }}", "  one\n  two\n\n    one\n  two\n")]
    [InlineData("  {%{a\nb}%}", "  a\nb")]
    [InlineData("  {{ capture y }}a\nb{{ end }}\n{{ y }}", "  \na\n  b")]
    public void Lines_of_a_value_are_indented_like_the_first(string template, string text) => Render(template).ShouldBe(text);

    [Fact]
    public void Indenting_can_be_turned_off()
    {
        var context = new TemplateContext { AutoIndent = false };
        context.PushGlobal(new ScriptObject { ["lines"] = "one\ntwo" });

        Template.Parse("  {{ lines }}").Render(context).ShouldBe("  one\ntwo");
    }
}
