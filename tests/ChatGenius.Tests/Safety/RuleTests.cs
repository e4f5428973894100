using ChatGenius.Db.Safety;
using ChatGenius.Db.Schema;
using ChatGenius.Tool;

namespace ChatGenius.Tests.Safety;

/// <summary>Every rule, held to its own examples on a real server.</summary>
public class RuleTests
{
    public static TheoryData<string> Rules => [.. Hazards.All.Select(hazard => hazard.Id)];

    [Theory]
    [MemberData(nameof(Rules))]
    public async Task A_rule_reports_its_bad_examples_and_neither_the_good_nor_what_looks_alike(string id)
    {
        var hazard = Hazards.Find(id)!;
        var wrong = new List<string>();
        foreach (var example in hazard.Examples.All.Where(example => !example.Untraced))
        {
            await using var shop = await Shop.OpenAsync(hazard.Examples.Given);
            await using var tracer = await Tracer.StartAsync(shop.Database, new TracerOptions());
            if (example.OldestServer * 10000 > tracer.ServerVersion)
            {
                continue;
            }

            var reported = new List<Finding>();
            for (var i = 0; i < example.Sql.Length; i++)
            {
                var migration = Shop.Migration(example.Sql[i], 7 + i);
                var roundTrip = await new RoundTripper<SchemaSnapshot>(tracer, (connection, token) => SchemaReader.ReadAsync(connection, cancellationToken: token), CheckRun.Differences).RunAsync(migration);
                reported.AddRange(SafetyCheck.Examine(migration, roundTrip.Trace, Target(example), roundTrip.RoundTrip).Where(finding => finding.Allowed is null));
            }

            Compare(wrong, id, example, reported);
        }

        wrong.ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void Where_nothing_could_be_run_the_words_report_only_what_they_can_tell(string id)
    {
        var hazard = Hazards.Find(id)!;
        var wrong = new List<string>();
        foreach (var example in hazard.Examples.All.Where(example => !example.TraceOnly))
        {
            var reported = example.Sql.SelectMany((sql, i) => SafetyCheck.Examine(Shop.Migration(sql, 7 + i), null, Target(example))).Where(finding => finding.Allowed is null).ToList();
            if (reported.Exists(finding => finding.Hazard == hazard) != (example.Kind == ExampleKind.Bad && hazard.Recognise is not null || example.Kind == ExampleKind.Bad && hazard.Traced is null))
            {
                wrong.Add($"words, {example.Kind} {example.Title}: {string.Join(", ", reported.Select(finding => $"{finding.Hazard.Id} {finding.Message}"))}");
            }
        }

        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void Ids_and_names_are_used_once_and_every_rule_says_what_to_do()
    {
        Hazards.All.Select(hazard => hazard.Id).ShouldBeUnique();
        Hazards.All.Select(hazard => hazard.Name).ShouldBeUnique();
        foreach (var hazard in Hazards.All)
        {
            hazard.Id.ShouldMatch("^[LDCFMS][1-4][0-9]{2}$");
            hazard.Name.ShouldMatch("^[a-z]+(-[a-z]+)*$");
            hazard.Effect.ShouldEndWith(".");
            hazard.Advice.ShouldEndWith(".");
            hazard.Title.ShouldNotEndWith(".");
            hazard.Documentation.ShouldStartWith("https://www.postgresql.org/docs/current/");
            hazard.Examples.All.Count(example => example.Kind == ExampleKind.LookAlike).ShouldBeGreaterThanOrEqualTo(2);
        }
    }

    private static TableSizes Target(RuleExample example) =>
        TableSizes.From(new Dictionary<(string, string), TableSize>(), example.TargetVersion);

    private static void Compare(List<string> wrong, string id, RuleExample example, List<Finding> reported)
    {
        var ids = reported.Select(finding => finding.Hazard.Id).ToHashSet();
        var said = string.Join("; ", reported.Select(finding => $"{finding.Hazard.Id} {finding.Message}"));
        if (ids.Contains(id) != (example.Kind == ExampleKind.Bad))
        {
            wrong.Add($"{example.Kind} {example.Title}: {(ids.Contains(id) ? "reported" : "not reported")}; said {said}");
        }

        var others = reported.Where(finding => finding.Severity > Severity.Info).Select(finding => finding.Hazard.Id).Except(example.Also).Where(other => other != id).ToList();
        if (example.Kind != ExampleKind.LookAlike && others.Count > 0)
        {
            wrong.Add($"{example.Kind} {example.Title}: also {string.Join(", ", others)}; said {said}");
        }
    }
}
