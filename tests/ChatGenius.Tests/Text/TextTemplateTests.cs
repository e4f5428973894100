using ChatGenius.Db.Text;
using Scriban.Runtime;

namespace ChatGenius.Tests.Text;

/// <summary>
/// What the renderer of the Scriban language is held to here: limits that are problems, places, and nothing but templates by name.
/// </summary>
public class TextTemplateTests
{
    [Theory]
    [InlineData("{{ x", "1:1", "The code block {{ is not closed")]
    [InlineData("a\n {{~ x", "2:2", "The code block {{~ is not closed")]
    [InlineData("é😀 {{ x\n-- migrate:down\n{{ name }}\n", "1:4", "The code block {{ is not closed")]
    [InlineData("{{ x\n-- migrate:down it's\n", "1:1", "or a string in it")]
    [InlineData("{{ 'x }}", "1:1", "or a string in it")]
    [InlineData("{{ name }}{{ if {a: {b: 1}} }}{{ end }}\n{{ x {{ name }}", "2:1", "is not closed")]
    [InlineData("{%{ x }}", "1:1", "The code block {%{ is not closed")]
    [InlineData("{{ if }}", "1:7", "Expecting <expression>")]
    [InlineData("{{ if x }} {{ 1 + }} b", "1:19", "to the right of the operator")]
    [InlineData("{{ if true }}\na", "1:14", "<end> statement was not found")]
    [InlineData("{{ a ; b § }}", "1:10", "Invalid token found `§`")]
    [InlineData("{{ nobody }}", "1:4", "The variable or function `nobody` was not found")]
    [InlineData("{{ name.x.y }}", "1:11", "null")]
    [InlineData("é😀 {{ name | math.abs }}", "1:14", "is not a number")]
    [InlineData("\n{{ include 'nothing' }}", "2:4", "There is no template \"nothing\" to include")]
    [InlineData("{{ include '../../etc/passwd' }}", "1:4", "There is no template \"../../etc/passwd\" to include")]
    public void What_is_broken_is_one_problem_at_its_place(string text, string place, string message)
    {
        var problem = Broken(text);

        problem.Where!.ToString().ShouldBe($"t.sbn:{place}");
        problem.Message.ShouldStartWith("The template is broken: ");
        problem.Message.ShouldContain(message);
    }

    [Theory]
    [InlineData("-- a part\n{{ 1 + }}", "part.sbn:2:8")]
    [InlineData("-- a part\n{{ 1 | math.nothing }}", "part.sbn:2:8")]
    [InlineData("-- a part\n\n{{ x", "part.sbn:3:1")]
    [InlineData("{{ include 'part' }}", "part.sbn:1:4")]
    public void What_is_wrong_with_an_included_template_is_shown_there(string part, string place)
    {
        var problem = Broken("{{ include 'part' }}", name => name == "part" ? SourceText.From("part.sbn", part) : null);

        problem.Where!.ToString().ShouldBe(place);
    }

    [Fact]
    public void A_problem_of_the_one_who_looks_for_the_included_template_stays_as_it_is()
    {
        var unreadable = new Problem("CG0103", "The file part.sbn can't be read");

        Broken("{{ include 'part' }}", _ => throw new ProblemException(unreadable)).ShouldBe(unreadable);
    }

    [Theory]
    [InlineData("{{ for i in 1..100 }}{{ for j in 1..100 }}{{ end }}{{ end }}done")]
    [InlineData("{{ i = 0; while i < 90000; i = i + 1; end }}done")]
    [InlineData("{%{ {{ as it stands }} }%}{{ x = {a: {b: {c: 1}}} }}{{ '{{' }}{{ capture y }}z{{ end }}done")]
    public void What_a_template_may_do_it_can(string text) => Render(text).ShouldEndWith("done");

    [Theory]
    [InlineData("{{ while true }}{{ end }}", "100000")]
    [InlineData("{{ for i in 1..1000000 }}{{ end }}", "100000")]
    [InlineData("{{ for i in 1..400 }}{{ for j in 1..400 }}{{ end }}{{ end }}", "100000")]
    [InlineData("{{ func f }}{{ f }}{{ end }}{{ f }}", "100")]
    [InlineData("{{ ('a' * 40) | regex.match '(a+)+$b' }}", "")]
    [InlineData("{{ s = 'x' * 20000 }}{{ for i in 1..900 }}{{ s }}{{ end }}", "text of more than 16777216 characters")]
    [InlineData("{{ s = 'x' * 20000; capture t; for i in 1..900; s; end; end }}short", "text of more than 16777216 characters")]
    [InlineData("{{ s = 'xy'; for i in 1..60; s = s + s; end }}", "text of more than 16777216 characters")]
    [InlineData("{{ s = 'xy' * 8000000; s = [s, s] }}{{ s | object.typeof }}{{ s }}", "text of more than 16777216 characters")]
    [InlineData("{{ s = 'xy' * 8000000; $'{s}{s}' | string.size }}", "text of more than 16777216 characters")]
    [InlineData("{{ 'ab' * 2000000000 }}", "16777216")]
    [InlineData("{{ 'a' | string.pad_left 2000000000 }}", "16777216")]
    [InlineData("{{ x = []; for i in 1..60; x = [x, x]; end; x }}", "")]
    [InlineData("{{ x = [1]; for i in 1..60; x = x | array.add_range x; end; x | array.size }}", "")]
    [InlineData("{{ x = {}; x.x = x; x }}", "")]
    public void What_would_not_end_or_get_too_long_is_a_problem_and_never_a_text_that_is_cut(string text, string message) =>
        Broken(text).Message.ShouldContain(message);

    [Fact]
    public void A_template_that_takes_too_long_is_stopped()
    {
        var source = SourceText.From("t.sbn", "{{ for i in 1..300; for j in 1..300; ('a' * 18) | regex.match '(a+)+b'; end; end }}");

        var limit = TimeSpan.FromSeconds(0.2);
        var thrown = Should.Throw<ProblemException>(() => TextTemplate.Render(source, [], TextTemplate.ReportIt, null, limit));

        thrown.Problems[0].Message.ShouldBe("The template is broken: It takes longer than 0.2 seconds");
    }

    [Fact]
    public void A_text_of_the_greatest_length_is_whole() =>
        Render($"{{{{ 'x' * {TextTemplate.Longest - 10} }}}}{{{{ name }}}} end").Length.ShouldBe(TextTemplate.Longest - 10 + 8);

    private static Problem Broken(string text, Func<string, SourceText?>? include = null) =>
        Should.Throw<ProblemException>(() => Render(text, include)).Problems.ShouldHaveSingleItem();

    internal static string Render(string text, Func<string, SourceText?>? include = null) =>
        TextTemplate.Render(SourceText.From("t.sbn", text), new ScriptObject { ["name"] = "Name" }, "Mend it.", include ?? (_ => null));
}
