using System.Text.RegularExpressions;
using ChatGenius.Db.Safety;
using ChatGenius.Db.Schema;
using ChatGenius.Db.Text;
using ChatGenius.Tests.Safety;
using ChatGenius.Tool;
using ChatGenius.Tool.Output;

namespace ChatGenius.Tests.Tool;

/// <summary>
/// The pages are templates of a language that escapes nothing by itself, and show what anybody may have written into a database.
/// </summary>
public partial class CheckPageTests
{
    private const string Evil = "</style><script>alert(\"1\" + '2')</script> & ";

    [Theory]
    [InlineData("CheckPage")]
    [InlineData("SchemaPage")]
    public void Every_value_of_a_page_is_escaped(string page)
    {
        var assembly = page == "CheckPage" ? typeof(CheckPage).Assembly : typeof(SchemaPage).Assembly;
        using var reader = new StreamReader(assembly.GetManifestResourceStream($"pages/{page}.sbn")!);

        var written = Code().Matches(reader.ReadToEnd()).Select(match => match.Groups["code"].Value.Trim())
            .Where(code => !Statement().IsMatch(code)).ToList();

        written.Count.ShouldBeGreaterThan(10);
        written.Where(code => code is not ("diagram" or "script"))
            .Where(code => !code.Contains("| html.escape", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Fact]
    public void What_looks_like_a_page_stays_text_in_every_field()
    {
        var sql = $"CREATE TABLE \"{Evil}\" (id int)";
        var file = SourceText.From($"<script>{Evil}<script>.sql", "");
        var migration = Shop.Migration($"-- migrate:up\n{sql};\n{sql};\n") with { Source = file };
        var words = new[] { "name", "title", "effect", "advice", "documentation" }.ToDictionary(key => key, _ => Evil);
        var hazard = new Hazard(Evil, new RuleFile(new(words) { ["severity"] = "error", ["evidence"] = "traced" }, "", []));
        var finding = new Finding(Evil, Evil, Evil)
        {
            Hazard = hazard, Severity = Severity.Error, Evidence = Evidence.Traced, Version = 1,
            Where = new SourceLocation(Evil, 1, 1, Evil, 1), Facts = [Evil, Evil], Allowed = Evil,
        };
        var catalog = new Catalog();
        StatementTrace Traced(int index, TraceOutcome outcome) => new()
        {
            Statement = migration.Up.Script.Statements[index], Index = index, Outcome = outcome, Reason = Evil,
            Before = catalog, After = catalog,
        };
        var trace = new Trace
        {
            Statements = [Traced(0, TraceOutcome.Ran), Traced(1, TraceOutcome.NotRun)],
            Before = catalog, After = catalog, ServerVersion = 150000,
        };
        var locks = new StatementLocks(0, [new TableLock(Evil, LockMode.AccessExclusive)], [Evil + "1"], [Evil + "2"], Alone: false);

        var page = CheckPage.Write(
            [new CheckResult { Migration = migration, Trace = trace, Findings = [finding], Locks = [locks] }], TimeSpan.FromSeconds(1));

        page.ShouldNotContain("<script", Case.Insensitive);
        page.Split("</style>").Length.ShouldBe(2);
        page.Split("&lt;script&gt;alert(&quot;1&quot; + &#39;2&#39;)&lt;/script&gt; &amp; ").Length.ShouldBe(18);
    }

    [GeneratedRegex(@"\{\{[-~]?(?!~? ?\s*##)(?<code>.*?)[-~]?\}\}", RegexOptions.Singleline)]
    private static partial Regex Code();

    [GeneratedRegex(@"^(##|if |else$|end$|for )")]
    private static partial Regex Statement();
}
