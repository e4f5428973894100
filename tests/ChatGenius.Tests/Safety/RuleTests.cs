using ChatGenius.Db.Safety;
using ChatGenius.Tool;

namespace ChatGenius.Tests.Safety;

/// <summary>
/// The first letters and digits of the rules' ids. Each is a class, and classes run in parallel: there are four hundred examples.
/// </summary>
public interface IRuleFamily
{
    static abstract string Prefix { get; }
}

/// <summary>The rules of a family, held to their own examples on a real server.</summary>
public abstract class RuleFamilyTests<T>
    where T : IRuleFamily
{
    // xUnit finds the data of a theory on the class that has it, and the family is known only to the class that is derived.
#pragma warning disable CA1000
    public static TheoryData<string> Rules =>
        [.. Hazards.All.Where(hazard => hazard.RefusedWith is null && hazard.Id.StartsWith(T.Prefix, StringComparison.Ordinal))
            .Select(hazard => hazard.Id)];
#pragma warning restore CA1000

    [Theory]
    [MemberData(nameof(Rules))]
    public Task A_rule_reports_its_bad_examples_and_neither_the_good_nor_what_looks_alike(string id) =>
        RuleTests.HoldToItsExamplesAsync(id, onNewest: false);
}

public sealed class CompatibilityRuleTests : RuleFamilyTests<CompatibilityRuleTests>, IRuleFamily { public static string Prefix => "C"; }
public sealed class DataLossRuleTests : RuleFamilyTests<DataLossRuleTests>, IRuleFamily { public static string Prefix => "D"; }
public sealed class FailureRuleTests : RuleFamilyTests<FailureRuleTests>, IRuleFamily { public static string Prefix => "F"; }
public sealed class FirstLockRuleTests : RuleFamilyTests<FirstLockRuleTests>, IRuleFamily { public static string Prefix => "L1"; }
public sealed class SecondLockRuleTests : RuleFamilyTests<SecondLockRuleTests>, IRuleFamily { public static string Prefix => "L2"; }
public sealed class ThirdLockRuleTests : RuleFamilyTests<ThirdLockRuleTests>, IRuleFamily { public static string Prefix => "L3"; }
public sealed class FourthLockRuleTests : RuleFamilyTests<FourthLockRuleTests>, IRuleFamily { public static string Prefix => "L4"; }
public sealed class MigrationRuleTests : RuleFamilyTests<MigrationRuleTests>, IRuleFamily { public static string Prefix => "M"; }
public sealed class StateRuleTests : RuleFamilyTests<StateRuleTests>, IRuleFamily { public static string Prefix => "S"; }

/// <summary>What holds for all rules, and what needs no server.</summary>
public class RuleTests
{
    public static TheoryData<string> Rules => [.. Hazards.All.Where(hazard => hazard.RefusedWith is null).Select(hazard => hazard.Id)];

    public static TheoryData<string> RulesThatRefuse =>
        [.. Hazards.All.Where(hazard => hazard.RefusedWith is not null).Select(hazard => hazard.Id)];

    /// <summary>Rules with an example that only later versions of PostgreSQL than the oldest supported can run.</summary>
    public static TheoryData<string> RulesOfLaterVersions =>
        [.. Hazards.All.Where(hazard => hazard.File.Examples.Any(example => example.OldestServer > 0)).Select(hazard => hazard.Id)];

    [Fact]
    public void Every_rule_is_of_one_family()
    {
        var families = typeof(RuleTests).Assembly.GetTypes().Where(type => type.IsClass && type.IsAssignableTo(typeof(IRuleFamily)))
            .Select(type => (string)type.GetProperty(nameof(IRuleFamily.Prefix))!.GetValue(null)!).ToList();

        Hazards.All.ShouldAllBe(hazard => families.Count(prefix => hazard.Id.StartsWith(prefix, StringComparison.Ordinal)) == 1);
    }

    [NeedsTheory(Need.Npm)]
    [MemberData(nameof(RulesOfLaterVersions))]
    public Task The_same_holds_for_what_only_later_versions_can_do(string id) => HoldToItsExamplesAsync(id, onNewest: true);

    [Theory]
    [MemberData(nameof(RulesThatRefuse))]
    public void A_rule_that_refuses_files_is_kept_by_the_parser(string id)
    {
        var hazard = Hazards.Find(id)!;
        foreach (var example in hazard.File.Examples)
        {
            void Parse() => MigrationParser.Parse(Shop.Source(example.Sql.ShouldHaveSingleItem()), MigrationOrigin.Folder);
            if (example.Kind == ExampleKind.Bad)
            {
                Should.Throw<ProblemException>(Parse).Problems.ShouldAllBe(problem => problem.Code == hazard.RefusedWith);
            }
            else
            {
                Should.NotThrow(Parse, example.Title);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void Where_nothing_could_be_run_the_words_report_only_what_they_can_tell(string id)
    {
        var hazard = Hazards.Find(id)!;
        var wrong = new List<string>();
        foreach (var example in hazard.File.Examples.Where(example => !example.TraceOnly))
        {
            var reported = example.Sql.SelectMany((sql, i) => SafetyCheck.Examine(Shop.Migration(sql, 7 + i), null, Target(example)))
                .Where(finding => finding.Allowed is null).ToList();
            if (reported.Exists(finding => finding.Hazard == hazard) != (example.Kind == ExampleKind.Bad && hazard.InText is not null
                || example.Kind == ExampleKind.Bad && hazard.Traced is null))
            {
                wrong.Add($"words, {example.Kind} {example.Title}: "
                    + $"{string.Join(", ", reported.Select(finding => $"{finding.Hazard.Id} {finding.Message}"))}");
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
            hazard.File.Examples.Count(example => example.Kind == ExampleKind.LookAlike).ShouldBeGreaterThanOrEqualTo(2);
        }
    }

    internal static async Task HoldToItsExamplesAsync(string id, bool onNewest)
    {
        var hazard = Hazards.Find(id)!;
        var wrong = new List<string>();
        foreach (var example in hazard.File.Examples.Where(example => !example.Untraced && example.OldestServer > 0 == onNewest))
        {
            await using var shop = await Shop.OpenAsync(hazard.File.Given, onNewest);
            await using var tracer = await Tracer.StartAsync(shop.Database, new TracerOptions());
            tracer.ServerVersion.ShouldBeGreaterThanOrEqualTo(example.OldestServer * 10000);
            var reported = new List<Finding>();
            for (var i = 0; i < example.Sql.Length; i++)
            {
                var migration = Shop.Migration(example.Sql[i], 7 + i);
                var (trace, roundTrip) = await new RoundTripper(tracer).RunAsync(migration);
                reported.AddRange(SafetyCheck.Examine(migration, trace, Target(example), roundTrip)
                    .Where(finding => finding.Allowed is null));
            }

            Compare(wrong, id, example, reported);
            foreach (var finding in reported.Where(finding => finding.Hazard == hazard && finding.SafeWay.Length > 0))
            {
                wrong.AddRange(await SafeWayTests.RefusedAsync(hazard, example, finding.SafeWay, onNewest));
            }
        }

        wrong.ShouldBeEmpty();
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

        var others = reported.Where(finding => finding.Severity > Severity.Info).Select(finding => finding.Hazard.Id).Except(example.Also)
            .Where(other => other != id).ToList();
        if (example.Kind != ExampleKind.LookAlike && others.Count > 0)
        {
            wrong.Add($"{example.Kind} {example.Title}: also {string.Join(", ", others)}; said {said}");
        }
    }
}
