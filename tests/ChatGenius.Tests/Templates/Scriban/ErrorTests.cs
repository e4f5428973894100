using ChatGenius.Db.Templates.Scriban;

namespace ChatGenius.Tests.Templates.Scriban;

public class ErrorTests
{
    [Theory]
    [InlineData("{{ x", "(1,1)", "The code block {{ is not closed")]
    [InlineData("a\n {{ x", "(2,2)", "The code block {{ is not closed")]
    [InlineData("{%{ x }}", "(1,1)", "The escape block {%{ is not closed with }%}")]
    [InlineData("{{ 'x }}", "(1,4)", "The string is not closed with '")]
    [InlineData("{{ `x }}", "(1,4)", "The string is not closed with `")]
    [InlineData("{{ '\\q' }}", "(1,5)", "Unknown escape")]
    [InlineData("{{ '\\u12' }}", "(1,5)", "4 hexadecimal digits are expected")]
    [InlineData("{{ 1e }}", "(1,4)", "A digit is expected after the exponent")]
    [InlineData("{{ 1e999999999 }}", "(1,4)", "The exponent may be")]
    [InlineData("{{ 0x }}", "(1,4)", "A digit is expected after 0x")]
    [InlineData("{{ a ; b § }}", "(1,10)", "Unexpected character `§`")]
    [InlineData("{{ 1 + }}", "(1,8)", "An expression is expected instead of the end of the code block")]
    [InlineData("{{ 1 +\n 2 }}", "(1,7)", "An expression is expected instead of the end of the line")]
    [InlineData("{{ (1 }}", "(1,7)", "`)` is expected")]
    [InlineData("{{ {a 1} }}", "(1,7)", "`:` is expected instead of `1`")]
    [InlineData("{{ {1: 2} }}", "(1,5)", "The name of a member is expected")]
    [InlineData("{{ a. }}", "(1,7)", "The name of a member is expected after the dot")]
    [InlineData("{{ a.1 }}", "(1,6)", "The name of a member is expected after the dot")]
    [InlineData("{{ a = }}", "(1,8)", "An expression is expected")]
    [InlineData("{{ 1 = 2 }}", "(1,4)", "can be assigned to")]
    [InlineData("{{ (a = 1) }}", "(1,7)", "`)` is expected instead of `=`")]
    [InlineData("{{ true ? 1 }}", "(1,13)", "`:` is expected")]
    [InlineData("{{ $\"{1\" }}", "(1,8)", "")]
    [InlineData("{{ $\"{}\" }}", "(1,7)", "An expression is expected")]
    [InlineData("{{ if true }}a", "(1,4)", "The `end` of this block is missing")]
    [InlineData("{{ for x in y }}a", "(1,4)", "The `end` of this block is missing")]
    [InlineData("{{ if }}{{ end }}", "(1,7)", "An expression is expected")]
    [InlineData("{{ end }}", "(1,4)", "There is no block that this `end` belongs to")]
    [InlineData("{{ else }}", "(1,4)", "There is no block")]
    [InlineData("{{ if a }}{{ when 1 }}{{ end }}", "(1,14)", "`when` does not belong here")]
    [InlineData("{{ if a }}{{ else }}{{ else }}{{ end }}", "(1,24)", "`else` does not belong here")]
    [InlineData("{{ case 1; 'x'; when 1; end }}", "(1,12)", "Only `when` may follow a `case`")]
    [InlineData("{{ for 1 in y }}{{ end }}", "(1,8)", "A variable is expected after `for`")]
    [InlineData("{{ for x of y }}{{ end }}", "(1,10)", "`in` is expected instead of `of`")]
    [InlineData("{{ for x in y foo:1 }}{{ end }}", "(1,15)", "A `for` has no option `foo`")]
    [InlineData("{{ for.foo }}", "(1,8)", "A loop has no `for.foo`")]
    [InlineData("{{ capture 1 }}{{ end }}", "(1,12)", "A variable is expected after `capture`")]
    [InlineData("{{ f a: 1 2 }}", "(1,11)", "An argument without a name can't follow one with a name")]
    [InlineData("{{ 1) }}", "(1,5)", "the end of the statement is expected")]
    [InlineData("{{ a }}{{ b, c }}", "(1,12)", "the end of the statement is expected")]
    [InlineData("{{ a and b }}", "(1,6)", "`and` is written &&")]
    [InlineData("{{ if a or b }}{{ end }}", "(1,9)", "`or` is written ||")]
    public void What_is_not_of_the_language_is_an_error_at_its_place(string text, string place, string message)
    {
        var template = Template.Parse(text, "t.sbn");

        template.HasErrors.ShouldBeTrue();
        template.Messages.ShouldHaveSingleItem().ToString().ShouldStartWith($"t.sbn{place} : error : ");
        template.Messages[0].Message.ShouldContain(message);
        Should.Throw<InvalidOperationException>(() => template.Render());
    }

    [Theory]
    [InlineData("while true")]
    [InlineData("func f")]
    [InlineData("with x")]
    [InlineData("wrap f")]
    [InlineData("import x")]
    [InlineData("tablerow x in y")]
    [InlineData("x = do")]
    [InlineData("while.index")]
    [InlineData("$$")]
    [InlineData("x++")]
    [InlineData("--x")]
    public void What_Scriban_has_and_we_have_not_is_an_error_that_says_so(string code) =>
        Template.Parse("{{ " + code + " }}").Messages.ShouldHaveSingleItem().Message.ShouldEndWith("is not supported");

    [Theory]
    [InlineData("none.x", "(1,4)", "`none` is null, so there is no `none.x`")]
    [InlineData("none[0]", "(1,4)", "`none` is null")]
    [InlineData("a.b.c.d", "(1,4)", "`a.b.c` is null")]
    [InlineData("a[none]", "(1,6)", "The index is null")]
    [InlineData("a['b'].c.d", "(1,4)", "`a[…].c` is null")]
    [InlineData("nowhere 1", "(1,4)", "There is no function `nowhere`")]
    [InlineData("1 | nowhere", "(1,8)", "There is no function `nowhere`")]
    [InlineData("name 1", "(1,4)", "`name` is not a function")]
    [InlineData("name | (1)", "(1,11)", "is not a function")]
    [InlineData("name | 1 + 2", "(1,11)", "There is no function behind the pipe")]
    [InlineData("string.nowhere 'a'", "(1,4)", "The function `string.nowhere` is not supported")]
    [InlineData("'a' | regex.replace 'a' 'b'", "(1,10)", "The functions of `regex` are not supported")]
    [InlineData("html.escape 'a'", "(1,4)", "The functions of `html` are not supported")]
    [InlineData("'1' | object.eval", "(1,10)", "The function `object.eval` is not supported")]
    [InlineData("string.upcase", "(1,4)", "`string.upcase` takes 1 argument, not 0")]
    [InlineData("string.upcase 'a' 'b'", "(1,4)", "`string.upcase` takes 1 argument, not 2")]
    [InlineData("string.slice 'a'", "(1,4)", "`string.slice` takes 2 to 3 arguments, not 1")]
    [InlineData("string.slice 'a' count: 1", "(1,21)", "`string.slice` has no parameter `count`")]
    [InlineData("string.slice 'a' 'b'", "(1,4)", "not in a correct format")]
    [InlineData("'a' | array.size", "(1,10)", "An array is expected")]
    [InlineData("'a' | math.ceil", "(1,10)", "to a number")]
    [InlineData("array.each [1] string.upcase", "(1,19)", "takes 1 argument")]
    [InlineData("array.each [1] 'upcase'", "(1,4)", "write @ before its name")]
    [InlineData("[1, 'a'] | array.sort", "(1,15)", "")]
    [InlineData("date.parse 'soon'", "(1,4)", "`soon` is not a date")]
    [InlineData("date.to_string date.now '%F' 'fr-FR'", "(1,4)", "The culture `fr-FR` is not supported")]
    [InlineData("1 // 0", "(1,6)", "zero")]
    [InlineData("'a' - 1", "(1,8)", "The operator - is not for strings")]
    [InlineData("'a' * 'b'", "(1,8)", "")]
    [InlineData("-name", "(1,4)", "needs a number")]
    [InlineData("[1] + 1", "(1,8)", "The operator + is not for values of the kinds array and int")]
    [InlineData("{} + {}", "(1,7)", "The operator + is not for values of the kinds object and object")]
    [InlineData("1.5 .. 2", "(1,8)", "The operator .. is not for fractions")]
    [InlineData("1 << 99999999", "(1,6)", "can't be shifted")]
    [InlineData("break", "(1,4)", "There is no loop around this")]
    [InlineData("for x in 'abc'; end", "(1,13)", "A loop goes through an array or an object")]
    [InlineData("for x in 1..3 reversed; end", "(1,16)", "is not a function")]
    [InlineData("for x in 1..1001; end", "(1,4)", "more than 1000 times")]
    [InlineData("readonly name; name = 1", "(1,19)", "`name` is read-only")]
    [InlineData("name.x = 1", "(1,4)", "can't be set")]
    [InlineData("[1].size = 2", "(1,4)", "can't be set")]
    [InlineData("x = []; x[100000] = 1", "(1,12)", "100000 elements at most")]
    [InlineData("1..100001", "(1,5)", "100000 elements at most")]
    [InlineData("'ab' * 600000", "(1,9)", "longer than 1048576 characters")]
    [InlineData("'a' | string.pad_left 2000000000", "(1,10)", "longer than 1048576 characters")]
    [InlineData("x = 'ab'; for i in 1..20; x = x + x; end", "(1,36)", "longer than 1048576 characters")]
    [InlineData("x = []; for i in 1..30; x = [x, x]; end; x", "(1,45)", "longer than")]
    [InlineData("x = {}; x.x = x; x", "(1,21)", "")]
    [InlineData("for a in 1..1000; for b in 1..1000; for c in 1..1000; end; end; end", "(1,40)", "more than 1000000 steps")]
    [InlineData("x = 3; for i in 1..40; x = x * x; end", "(1,33)", "bits")]
    [InlineData("[1 2]", "(1,5)", "is not a function")]
    public void What_cannot_be_rendered_is_an_error_at_its_place(string code, string place, string message)
    {
        var template = Template.Parse("{{ " + code + " }}", "t.sbn");
        template.Messages.ShouldBeEmpty();
        var error = Should.Throw<ScriptRuntimeException>(
            () => template.Render(new ScriptObject { ["name"] = "users", ["none"] = null, ["a"] = new ScriptObject { ["b"] = new ScriptObject() } }));
        error.Message.ShouldStartWith($"t.sbn{place} : error : ");
        error.OriginalMessage.ShouldContain(message);
    }

    [Theory]
    [InlineData("(", "")]
    [InlineData("[", "")]
    [InlineData("!", "x")]
    [InlineData("1+", "1")]
    [InlineData("x ? 1 : ", "1")]
    [InlineData("1 | ", "1")]
    [InlineData("if 1; ", "")]
    [InlineData("if 1; else ", "")]
    [InlineData("{a:", "")]
    [InlineData("f(", "")]
    [InlineData("$\"{", "")]
    public void However_deep_a_template_nests_it_ends_with_a_message(string piece, string end)
    {
        var template = Template.Parse("{{ " + string.Concat(Enumerable.Repeat(piece, 200_000)) + end + " }}");
        if (!template.HasErrors)
        {
            Should.Throw<ScriptRuntimeException>(() => template.Render());
        }
    }

    [Fact]
    public void A_long_path_ends_with_a_message()
    {
        var template = Template.Parse("{{ a" + string.Concat(Enumerable.Repeat(".b", 200_000)) + " }}");

        Should.Throw<ScriptRuntimeException>(() => template.Render());
    }

    [Fact]
    public void Strict_variables_find_a_misspelt_name()
    {
        var context = new TemplateContext { StrictVariables = true };
        context.PushGlobal(new ScriptObject { ["table"] = "users" });

        Should.Throw<ScriptRuntimeException>(() => Template.Parse("{{ tabel }}").Render(context)).Message.ShouldContain("There is no variable `tabel`");
    }

    [Fact]
    public void A_value_that_a_template_cannot_handle_is_refused_at_once() =>
        Should.Throw<ArgumentException>(() => new ScriptObject { ["x"] = new Uri("http://localhost") });

    [Fact]
    public void A_context_can_be_used_again_after_an_error()
    {
        var context = new TemplateContext();
        context.PushGlobal(new ScriptObject());

        Should.Throw<ScriptRuntimeException>(() => Template.Parse("  {{ for x in [1]; 1 | array.each; end }}").Render(context));

        Template.Parse("{{ string.upcase 'a' }}{{ x }}").Render(context).ShouldBe("A");
    }
}
