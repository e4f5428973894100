using ChatGenius.Db.Templates.Scriban;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace ChatGenius.Tests.Templates.Scriban;

public class PropertyTests
{
    private static readonly string[] Pieces =
    [
        "{{", "}}", "{{-", "-}}", "{{~", "~}}", "{%{", "}%}", "\n", "\r\n", " ", ";", "x", "$x", "$", "y.z", "1", "2.5", "0x1f", "1e3", "'a'",
        "\"b\\n\"", "`c`", "$\"{", "}\"", "+", "-", "*", "/", "//", "%", "==", "!=", "<", ">=", "&&", "||", "!", "??", "?!", "?", ":", "..",
        "..<", "<<", ">>", "(", ")", "[", "]", "{", "}", ",", ".", "?.", "|", "|>", "@", "^", "=", "+=", "#", "##", "if ", "else", "end", "for ",
        " in ", "case ", "when ", "capture ", "break", "continue", "ret ", "readonly ", "include ", "this", "null", "true", "empty", "for.index",
        "string.upcase", "string.size", "array.join ','", "array.sort", "math.abs", "date.now", "object.keys", "text", "limit:1", "reversed", "\\", "\0", "é😀",
    ];

    /// <summary>Texts that look like templates, to get deeper than random characters do.</summary>
    public static Arbitrary<string> Templates() =>
        Arb.From(Gen.Elements(Pieces).ListOf().Select(pieces => string.Concat(pieces)));

    [Property(MaxTest = 500)]
    public void Text_without_double_braces_renders_to_itself(NonNull<string> text)
    {
        var plain = text.Get.Replace("{{", "{ {", StringComparison.Ordinal).Replace("%{", "% {", StringComparison.Ordinal);

        Template.Parse(plain).Render().ShouldBe(plain);
    }

    [Property(MaxTest = 500)]
    public void Text_in_an_escape_block_renders_to_itself(NonNull<string> text)
    {
        var plain = text.Get.Replace("}%%%}", "", StringComparison.Ordinal).TrimStart('-', '~').TrimEnd('-', '~', '}');

        Template.Parse("{%%%{" + plain + "}%%%}").Render().ShouldBe(plain);
    }

    [Property(MaxTest = 500)]
    public void A_string_constant_is_the_string(NonNull<string> text)
    {
        var constant = "`" + text.Get.Replace("`", "``", StringComparison.Ordinal) + "`";

        Template.Parse("{{ x = " + constant + " }}{{- x -}}").Render().ShouldBe(text.Get);
    }

    [Property(MaxTest = 3000, Arbitrary = [typeof(PropertyTests)])]
    public void No_template_ends_otherwise_than_with_text_or_a_reported_error(string text)
    {
        var template = Template.Parse(text);
        template.HasErrors.ShouldBe(template.Messages.Count > 0);
        if (template.HasErrors)
        {
            return;
        }

        try
        {
            template.Render(new ScriptObject { ["x"] = new[] { 1, 2, 3 }, ["y"] = new ScriptObject { ["z"] = "text" } }).ShouldNotBeNull();
        }
        catch (ScriptRuntimeException e)
        {
            e.OriginalMessage.ShouldNotBeEmpty();
        }
    }

    /// <summary>Inside one block, statements are more often whole.</summary>
    [Property(MaxTest = 3000, Arbitrary = [typeof(PropertyTests)])]
    public void No_code_ends_otherwise_than_with_text_or_a_reported_error(string code) =>
        No_template_ends_otherwise_than_with_text_or_a_reported_error("{{ " + code + " }}");

    [Property(MaxTest = 500)]
    public void Integers_are_computed_as_in_mathematics(long left, long right)
    {
        var template = Template.Parse("{{ a + b }} {{ a - b }} {{ a * b }} {{ a < b }}");

        template.Render(new ScriptObject { ["a"] = left, ["b"] = right })
            .ShouldBe($"{(Int128)left + right} {(Int128)left - right} {(Int128)left * right} {(left < right ? "true" : "false")}");
    }
}
