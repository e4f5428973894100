using ChatGenius.Db.Templates.Scriban;

namespace ChatGenius.Tests.Templates.Scriban;

public class StatementTests
{
    private static string Render(string text, ITemplateLoader? loader = null)
    {
        var template = Template.Parse(text);
        template.Messages.ShouldBeEmpty();
        var context = new TemplateContext { TemplateLoader = loader };
        context.PushGlobal(new ScriptObject
        {
            ["list"] = new[] { "a", "b", "c" },
            ["table"] = new ScriptObject { ["name"] = "users", ["size"] = 3 },
            ["none"] = null,
        });
        return template.Render(context);
    }

    [Theory]
    [InlineData("x = 1; x", "1")]
    [InlineData("x = 1; x = x + 1; x", "2")]
    [InlineData("x = 5; x += 2; x -= 1; x *= 3; x", "18")]
    [InlineData("x = 7; x /= 2; x", "3.5")]
    [InlineData("x = 7; x //= 2; x %= 2; x", "1")]
    [InlineData("s = 'a'; s += 'b'; s", "ab")]
    [InlineData("s ??= 'a'; s ??= 'b'; o = {}; o.p ??= s + 1; o", "{p: \"a1\"}")]
    [InlineData("s = 0; s ??= none.name; s", "0")]
    [InlineData("o = {}; o.a = 1; o['b'] = 2; o.a += 4; o", "{a: 5, b: 2}")]
    [InlineData("a = []; a[0] = 1; a[2] = 3; a", "[1, null, 3]")]
    [InlineData("a = [1, 2]; a[-1] = 5; a", "[1, 5]")]
    [InlineData("a = [5]; a.x = 'yes'; a.x + a[0]", "yes5")]
    [InlineData("a = [1]; b = a; b[0] = 2; a", "[2]")]
    [InlineData("this.x = 6; x", "6")]
    [InlineData("$x = 1; x = 2; $x + x", "3")]
    [InlineData("table.name = 'messages'; table.name", "messages")]
    [InlineData("x = string.upcase 'a'; x", "A")]
    [InlineData("x = 'a' | string.upcase; x", "A")]
    [InlineData("x = true ? 1 : 2; x", "1")]
    [InlineData("f = @string.upcase; f 'a'", "A")]
    [InlineData("f = @string.upcase; 'a' | f", "A")]
    [InlineData("readonly x; y = 1; y", "1")]
    public void Assignments(string code, string text) => Render("{{ " + code + " }}").ShouldBe(text);

    [Theory]
    [InlineData("{{ if true }}a{{ end }}", "a")]
    [InlineData("{{ if false }}a{{ end }}b", "b")]
    [InlineData("{{ if none }}a{{ else }}b{{ end }}", "b")]
    [InlineData("{{ if none }}a{{ else if 0 }}b{{ else }}c{{ end }}", "b")]
    [InlineData("{{ if none }}a{{ else if false }}b{{ else }}c{{ end }}", "c")]
    [InlineData("{{ if false; 1; else if false; 2; else if true; 3; else; 4; end; 5 }}", "35")]
    [InlineData("{{ if true\n if false\n 1\n else\n 2\n end\n end }}", "2")]
    [InlineData("{{ if list.size > 2 && table.name == 'users' }}a{{ end }}", "a")]
    public void If(string template, string text) => Render(template).ShouldBe(text);

    [Theory]
    [InlineData("{{ case 2; when 1; 'a'; when 2; 'b'; else; 'c'; end }}", "b")]
    [InlineData("{{ case 3; when 1, 2; 'a'; when 3 || 4; 'b'; end }}", "b")]
    [InlineData("{{ case 9; when 1; 'a'; else; 'c'; end }}", "c")]
    [InlineData("{{ case 9; when 1; 'a'; end }}", "")]
    [InlineData("{{ case 'users'; when table.name; 'a'; end }}", "a")]
    [InlineData("{{ case 3; when 1 + 2; 'a'; end }}", "a")]
    [InlineData("{{ case none; when null; 'a'; end }}", "a")]
    [InlineData("{{ case 2 }}\n dropped {{ when 1 }}a{{ when 2 }}b{{ else }}c{{ end }}", "b")]
    [InlineData("{{~ case 1 ~}}\n{{~ when 1 ~}}\none\n{{~ when 2 ~}}\ntwo\n{{~ end ~}}\n.", "one\n.")]
    [InlineData("{{ case 1; end }}", "")]
    public void Case(string template, string text) => Render(template).ShouldBe(text);

    [Theory]
    [InlineData("{{ for x in list }}{{ x }},{{ end }}", "a,b,c,")]
    [InlineData("{{ for x in list; x; end }}", "abc")]
    [InlineData("{{ for x in 1..3; x; end }}", "123")]
    [InlineData("{{ for $x in 1..3; $x; end; $x }}", "123")]
    [InlineData("{{ x = 'before'; for x in list; end; x }}", "before")]
    [InlineData("{{ for x in list; x = 'set'; x; end; x }}", "abcset")]
    [InlineData("{{ for x in none; x; else; 'none'; end }}", "")]
    [InlineData("{{ for x in []; x; else; 'none'; end }}", "none")]
    [InlineData("{{ for x in list; x; else; 'none'; end }}", "abc")]
    [InlineData("{{ for x in table; x.key + '=' + x.value + ';'; end }}", "name=users;size=3;")]
    [InlineData("{{ for x in table; x; end }}", "{key: \"name\", value: \"users\"}{key: \"size\", value: 3}")]
    [InlineData("{{ for x in list offset:1; x; end }}", "bc")]
    [InlineData("{{ for x in list limit:2; x; end }}", "ab")]
    [InlineData("{{ for x in list offset:1 limit:1; x; end }}", "b")]
    [InlineData("{{ for x in list reversed; x; end }}", "cba")]
    [InlineData("{{ for x in (1..6) offset:1 limit:3 reversed; x; end }}", "432")]
    [InlineData("{{ for x in list offset:9; x; else; 'none'; end }}", "none")]
    [InlineData("{{ for x in (list | array.reverse); x; end }}", "cba")]
    [InlineData("{{ for x in list | array.reverse; x; end }}", "cba")]
    [InlineData("{{ for x in list; for.index; for.rindex; end }}", "021120")]
    [InlineData("{{ for x in list; for.first ? '<' : ''; x; for.last ? '>' : ','; end }}", "<a,b,c>")]
    [InlineData("{{ for x in list; x; if !for.last; ', '; end; end }}", "a, b, c")]
    [InlineData("{{ for x in list; for.even ? 'e' : ''; for.odd ? 'o' : ''; for.length; end }}", "e3o3e3")]
    [InlineData("{{ for x in [1, 1, 2]; for.changed ? 'c' : '-'; end }}", "c-c")]
    [InlineData("{{ for x in list offset:1; for.index; for.first; end }}", "1false2false")]
    [InlineData("{{ for x in list reversed; for.index; for.first; for.last; end }}", "2falsefalse1falsefalse0truetrue")]
    [InlineData("{{ for x in list; if x == 'b'; break; end; x; end }}", "a")]
    [InlineData("{{ for x in list; if x == 'b'; continue; end; x; end }}", "ac")]
    [InlineData("{{ for x in 1..2; for y in 1..2; if y == 2; break; end; x; y; end; end }}", "1121")]
    [InlineData("{{ for x in 1..2; for y in 1..2; for.index; end; for.index; end }}", "010011")]
    [InlineData("{{ o = {}; for o.x in list; end; o.x }}", "c")]
    public void For(string template, string text) => Render(template).ShouldBe(text);

    [Theory]
    [InlineData("{{ capture x }}a{{ 1 }}b{{ end }}[{{ x }}]", "[a1b]")]
    [InlineData("{{ capture $x; 'a'; end; $x + '!' }}", "a!")]
    [InlineData("{{ o = {}; capture o.x; 'a'; end; o }}", "{x: \"a\"}")]
    [InlineData("{{ capture x; end; x.size }}", "0")]
    [InlineData("a{{ ret }}b", "a")]
    [InlineData("a{{ ret 1 + 1 }}b", "a2")]
    [InlineData("{{ for x in list; if x == 'b'; ret; end; x; end }}z", "a")]
    public void Capture_and_ret(string template, string text) => Render(template).ShouldBe(text);

    private sealed class Loader(Dictionary<string, string> templates) : ITemplateLoader
    {
        public string? GetPath(TemplateContext context, SourceSpan callerSpan, string templateName) =>
            templates.ContainsKey(templateName) ? templateName : null;

        public string? Load(TemplateContext context, SourceSpan callerSpan, string templatePath) => templates[templatePath];
    }

    private static readonly Loader Templates = new(new()
    {
        ["hello"] = "hello {{ $1 }}",
        ["name"] = "{{ $0 }}/{{ $.size }}/{{ $.greeting }}",
        ["sets"] = "{{ y = 5; $z = 6 }}",
        ["lines"] = "one\ntwo\n",
        ["returns"] = "a{{ ret }}b",
        ["loops"] = "{{ include 'loops' }}",
        ["broken"] = "line\n{{ 1 + }}",
        ["fails"] = "line\n{{ none.x }}",
        ["loop"] = "{{ for.index }}{{ x }}",
    });

    [Theory]
    [InlineData("{{ include 'hello' 'you' }}!", "hello you!")]
    [InlineData("{{ 'hello' | include 'you' }}", "hello you")]
    [InlineData("{{ include 'name' 1 2 greeting: 'hi' }}", "name/3/hi")]
    [InlineData("{{ x = include 'hello' 'you'; x | string.upcase }}", "HELLO YOU")]
    [InlineData("{{ $z = 1; include 'sets'; y; $z }}", "51")]
    [InlineData("  {{ include 'lines' }}.", "  one\n  two\n.")]
    [InlineData("{{ include 'returns' }}c", "ac")]
    [InlineData("{{ for x in ['p', 'q']; include 'loop'; end }}", "0p1q")]
    [InlineData("{{ include 'hello' (include 'hello' 'x') }}", "hello hello x")]
    public void Include(string template, string text) => Render(template, Templates).ShouldBe(text);

    [Theory]
    [InlineData("{{ include 'loops' }}", "nested more than")]
    [InlineData("{{ include 'nowhere' }}", "There is no template `nowhere`")]
    [InlineData("{{ include '' }}", "name of the template to include is empty")]
    [InlineData("{{ include 'broken' }}", "has errors")]
    [InlineData("{{ include 'fails' }}", "fails(2,4) : error : `none` is null")]
    [InlineData("{{ include }}", "takes at least 1 argument")]
    public void An_include_that_cannot_work_says_why(string template, string message) =>
        Should.Throw<ScriptRuntimeException>(() => Render(template, Templates)).Message.ShouldContain(message);

    [Fact]
    public void An_include_without_a_loader_says_so() =>
        Should.Throw<ScriptRuntimeException>(() => Render("{{ include 'hello' }}")).Message.ShouldContain("nowhere to load it from");
}
