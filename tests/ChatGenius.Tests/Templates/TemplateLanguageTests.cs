using ChatGenius.Tests.Text;
using Scriban;
using Scriban.Runtime;

namespace ChatGenius.Tests.Templates;

/// <summary>
/// The language of the templates in the tool as a process, compared with what it is here. What trimming took away is missing in the native
/// executable only, and nothing says so: the two would make different migrations of one template. <c>CHATGENIUS_DB_EXE</c> names that
/// executable.
/// </summary>
public class TemplateLanguageTests
{
    /// <summary>Values that every template here begins with.</summary>
    private const string Start =
        "{{ o = {b: 2, a: 1, c: null}; l = [3, 1, 2, 3]; w = ['one', 'Two', null]; d = date.parse '2026-01-31 12:34:56'; "
        + "t = timespan.from_minutes 90; p = [{n: 'x', v: 2}, {n: 'y', v: 1}]; "
        + "func twice; ret $0 * 2; end; func odd; ret $0 % 2 == 1; end -}}\n";

    /// <summary>
    /// Every function of the language, member access on everything that a template can get hold of, operators and statements.
    /// </summary>
    private static readonly string[] Expressions =
    [
        "l | array.add 4", "l | array.add_range [5, 6]", "l | array.any @odd", "w | array.compact", "l | array.concat w",
        "l | array.contains 2", "array.cycle w",
        "l | array.each @twice", "l | array.filter @odd", "l | array.first", "l | array.insert_at 1 9", "w | array.join '-'",
        "l | array.last", "l | array.limit 2",
        "p | array.map 'n'", "l | array.offset 1", "l | array.remove_at 0", "l | array.reverse", "l | array.size", "l | array.sort",
        "p | array.sort 'v'", "l | array.uniq",
        "d | date.add_days 1.5", "d | date.add_hours 1", "d | date.add_milliseconds 5", "d | date.add_minutes 1", "d | date.add_months 1",
        "d | date.add_seconds 4",
        "d | date.add_years 1", "date.default_format", "date.format", "date.now.year > 2000", "date.utc_now.kind",
        "date.parse_to_string '2026-01-31' '%d.%m.%y'",
        "d | date.to_string '%A %F %T %j %y'", "date.parse '31/01/2026' '%d/%m/%Y'", "d", "d - date.parse '2026-01-01'",
        "d.year", "d.month", "d.day", "d.hour", "d.minute", "d.second", "d.millisecond", "d.day_of_year", "d.day_of_week", "d.date",
        "d.time_of_day.hours", "d.ticks",
        "'<a & \"b\">' | html.escape", "'a\nb' | html.newline_to_br", "'<b>a</b>' | html.strip", "'a b/c' | html.url_encode",
        "'a b/ü' | html.url_escape",
        "-3 | math.abs", "1.2 | math.ceil", "7 | math.divided_by 2", "1.8 | math.floor", "12.5 | math.format 'F3'", "1 | math.is_number",
        "5 | math.minus 2", "7 | math.modulo 3",
        "1 | math.plus 2.5", "(math.random 1 2) == 1", "2.567 | math.round 2", "3 | math.times 4", "math.uuid | string.size",
        "null | object.default 'x'", "'1 + 2' | object.eval", "'{{ 1 + 2 }}' | object.eval_template", "12 | object.format 'X4'",
        "('{\"a\": [1, {\"b\": true}]}' | object.from_json).a[1].b",
        "o | object.has_key 'a'", "o | object.has_value 'c'", "o | object.keys", "1.5 | object.kind", "o | object.size",
        "l | object.typeof", "o | object.values",
        "'a.b' | regex.escape", "'abc' | regex.match '(.)(c)'", "'abc' | regex.matches '.'", "'abc' | regex.replace '(?<x>b)' '<${x}>'",
        "'a, b' | regex.split `,\\s*`", "'a\\\\.b' | regex.unescape",
        "'a' | string.append 'b'", "'YWJj' | string.base64_decode", "'abc' | string.base64_encode", "'abc' | string.capitalize",
        "'a bc' | string.capitalizewords", "'abc' | string.contains 'b'",
        "'ABC' | string.downcase", "'' | string.empty", "'abc' | string.ends_with 'c'", "'ABC' | string.equals_ignore_case 'abc'",
        "'a\"b' | string.escape", "'A b_C' | string.handleize",
        "'a' | string.hmac_sha1 'k'", "'a' | string.hmac_sha256 'k'", "'a' | string.hmac_sha512 'k'", "'abcb' | string.index_of 'b' 2",
        "'a\"b' | string.literal", "' a ' | string.lstrip",
        "'a' | string.md5", "'a' | string.pad_left 4", "'a' | string.pad_right 4", "2 | string.pluralize 'row' 'rows'",
        "'a' | string.prepend 'b'", "'abab' | string.remove 'a'",
        "'abab' | string.remove_first 'a'", "'abab' | string.remove_last 'a'", "'abab' | string.replace 'a' 'x'",
        "'abab' | string.replace_first 'a' 'x'", "' a ' | string.rstrip", "'a' | string.sha1",
        "'a' | string.sha256", "'a' | string.sha512", "'abc' | string.size", "'abc' | string.slice 1 1", "'abc' | string.slice1 1",
        "'a,b' | string.split ','", "'abc' | string.starts_with 'a'",
        "' a ' | string.strip", "'a\nb' | string.strip_newlines", "'1.5' | string.to_double", "'1.5' | string.to_float",
        "'15' | string.to_int", "'15' | string.to_long",
        "'abcdefg' | string.truncate 5", "'a b c d' | string.truncatewords 2", "'abc' | string.upcase", "' ' | string.whitespace",
        "timespan.from_days 2", "timespan.from_hours 3", "timespan.from_milliseconds 5", "t", "timespan.from_seconds 5",
        "timespan.parse '0.05:00:00'", "timespan.zero",
        "t.days", "t.hours", "t.minutes", "t.seconds", "t.milliseconds", "t.total_days", "t.total_hours", "t.total_minutes",
        "t.total_seconds", "t.total_milliseconds", "t.ticks",
        "include 'part' 1 2", "include_join ['part', 'part'] '+'", "empty == ''", "blank == ''", "o.a", "o['b']", "l[1]", "'abc'.size",
        "l.size", "(1..3).size", "o.empty?", "o.nothing?.more",
        "1 + 2 * 3", "7 / 2", "7 // 2", "1 << 4", "'a' + 1", "'ab' * 2", "1..3", "1 == 1.0", "null ?? 2", "true ? 1 : 2", "!true",
        "1 < 2 && 2 <= 3 || false", "999999999999 * 999999999999", "0.1 + 0.2",
        "1e10", "0xff", "$'{1 + 1}x'", "l | array.each do; ret $0 + 1; end", "d < date.now", "{x: [1, {y: 'z'}]}",
        "[1, [2, 'a'], null, true]", "`\\n`", "(@twice) 4", "1.0", "12345.6789m", "1.5f",
        "for x in o; x.key; '='; x.value; ';'; end",
        "for x in l limit: 2 offset: 1; for.index; for.first; for.last; for.rindex; for.even; x; end",
        "for x in l reversed; x; else; 0; end",
        "i = 0; while i < 3; i = i + 1; while.index; end", "case 3; when 1, 2; 'a'; when 3; 'b'; else; 'c'; end", "capture y; 'in'; end; y",
        "with o; a = 5; end; o.a",
        "func f(x, y = 2); ret x + y; end; f 1; f 1 y: 4", "wrap twice; end", "x = 1; x += 2; x++; x", "tablerow x in l cols: 2; x; end",
        "import {z: 7}; z", "readonly o; o.b",
    ];

    [Fact]
    public async Task The_tool_has_every_object_and_function_that_there_is_here()
    {
        var keys = Libraries().Select(library => $"{library.Key}: {{{{ {library.Key} | object.keys | array.sort | array.join ' ' }}}}\n");

        await CompareAsync(string.Concat(keys));
    }

    [Fact]
    public async Task The_tool_makes_the_same_of_every_expression() =>
        await CompareAsync(Start + string.Concat(Expressions.Select((expression, i) =>
            $"{i} {expression.Replace("{{", "{", StringComparison.Ordinal)}: {{{{ {expression} }}}}\n")));

    [Fact]
    public void Every_function_is_in_an_expression()
    {
        // A native build has no serializer of JSON that works by reflection; templates/README.md says so.
        var known = string.Join('\n', Expressions) + Start + "object.to_json";

        Libraries().SelectMany(library => library.Value.Keys.Select(function => $"{library.Key}.{function}"))
            .Where(name => !known.Contains(name, StringComparison.Ordinal)).ShouldBeEmpty();
    }

    private static IEnumerable<KeyValuePair<string, ScriptObject>> Libraries() =>
        TemplateContext.GetDefaultBuiltinObject().Where(member => member.Value is ScriptObject and not IScriptCustomFunction)
            .Select(member => KeyValuePair.Create(member.Key, (ScriptObject)member.Value!));

    private static async Task CompareAsync(string template)
    {
        using var sandbox = new Sandbox();
        sandbox.Write("templates/part.sbn", "(part {{ $1 }} {{ $2 }})");
        sandbox.Write("templates/all.sbn", template);
        var expected = TextTemplateTests.Render(template, _ => Db.Text.SourceText.From("part.sbn", "(part {{ $1 }} {{ $2 }})"));

        var run = await ToolProcess.RunAsync(["new", "all", "--template", "all", "--templates", "templates", "--stdout"], sandbox.Path);

        run.ExitCode.ShouldBe(0, run.Error);
        run.Output.ShouldBe(expected.Trim('\n') + "\n");
        expected.ShouldNotBeEmpty();
    }
}
