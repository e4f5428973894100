using System.Collections.Immutable;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Safety;

/// <summary>M1xx: the migration as a file.</summary>
internal static class HygieneRules
{
    internal static readonly Hazard NoDown = new("M101");

    internal static readonly Hazard DownDoesNotRestore = new("M102");

    internal static readonly Hazard NotRerunnable = new("M103")
    {
        TextAlways = true,
        InText = (text, context) => context.Section is { Transactional: false, Batch: null } && context.Section.Script.Statements.Count > 1
            && CanRunOnce(text) is { } name && !DroppedBefore(context, text, name)
            ? new Finding(name, "It can't be run twice, and the file is not one transaction")
            : null,
    };

    internal static readonly Hazard SessionStateLeaks = new("M104")
    {
        Traced = facts =>
            facts.Trace.SettingsLeft.Length == 0
                ? []
                :
                [
                    new Finding(
                        facts.Statements.LastOrDefault(s => s.Text.Is("SET")
                            || s.Trace.Statement.Text.Contains("set_config", StringComparison.OrdinalIgnoreCase))?.Trace,
                        Names.List(facts.Trace.SettingsLeft.Select(setting => setting.Split(' ')[0])),
                            $"The session keeps {Names.List(facts.Trace.SettingsLeft)}",
                        string.Join('\n', facts.Trace.SettingsLeft.Select(setting => setting.Split(" = ") is [var name, var value]
                            ? $"SET LOCAL {name} = {SqlLiteral.Quote(value)};" : ""))),
                ],
    };

    internal static readonly Hazard DynamicSql = new("M105")
    {
        InText = (text, _) => text.Is("DO") || text.Is("CALL")
            ? new Finding("", $"What {text.Tokens[0].Text} does can't be read from its text") : null,
    };

    internal static readonly Hazard CombineAlters = new("M106")
    {
        Traced = facts =>
            from s in facts.Statements
            from table in s.Trace.Activity.Keys.Select(s.Before.Root).Distinct().Select(s.Before.Find).OfType<Relation>()
            where Worn(s, table) && facts.Statements.Any(earlier => earlier.Trace.Index < s.Trace.Index
                && earlier.Trace.Transaction == s.Trace.Transaction && Worn(earlier, table))
            select s.On(table, $"An earlier ALTER TABLE of this migration reads {table.Display} whole already"),
    };

    internal static readonly Hazard UnusedAllow = new("M107");

    internal static readonly Hazard Unjudged = new("M108")
    {
        Traced = facts =>
            from cause in facts.Trace.Statements.Where(statement => statement.IsUnjudged && statement.IsPassedOver)
                .GroupBy(statement => statement.Reason)
            select new Finding(cause.First(), "", $"{Names.Count(cause.Count(), "statement")} could not be judged: {cause.Key}"),
    };

    internal static readonly ImmutableArray<Hazard> All =
        [NoDown, DownDoesNotRestore, NotRerunnable, SessionStateLeaks, DynamicSql, CombineAlters, UnusedAllow, Unjudged];

    /// <summary>What a round trip showed.</summary>
    internal static IEnumerable<Finding> OfRoundTrip(Migration migration, RoundTrip roundTrip)
    {
        if (roundTrip.Failure is not null || roundTrip.Differences.Length > 0 || roundTrip.SecondUp.Length > 0)
        {
            var message = roundTrip.Failure
                ?? (roundTrip.Differences.Length > 0 ? "After down the schema is not what it was before up"
                    : "After down the second up gives another schema than the first");
            yield return Found("", message) with { Facts = [.. roundTrip.Differences, .. roundTrip.SecondUp] };
        }

        foreach (var loss in roundTrip.Lost)
        {
            yield return Found(loss.Subject, $"Down does not bring back {loss}");
        }

        Finding Found(string subject, string message) =>
            new Finding(subject, message).Of(DownDoesNotRestore, DownDoesNotRestore.Evidence, migration.Version, migration.Down.Where);
    }

    /// <summary>The name of what a second run would trip over; null when it would not.</summary>
    private static string? CanRunOnce(StatementText text)
    {
        if (text.Is("CREATE") && !text.Is("CREATE", "OR", "REPLACE") && !text.Has("IF", "NOT", "EXISTS"))
        {
            var name = text.Tokens.Skip(1)
                .SkipWhile(token => token.Text is "UNIQUE" or "INDEX" or "CONCURRENTLY" or "TABLE" or "UNLOGGED" or "VIEW" or "MATERIALIZED"
                or "TYPE" or "SCHEMA"
                or "TRIGGER" or "FUNCTION" or "PROCEDURE" or "SEQUENCE" or "DOMAIN" or "EXTENSION" or "CONSTRAINT").FirstOrDefault();
            return name.Name ?? "";
        }

        if (text.Is("DROP") && !text.Has("IF", "EXISTS"))
        {
            return text.Tokens[^1].Name ?? "";
        }

        foreach (var (table, start, end) in text.AlterTableActions())
        {
            if ((text.At(start, "ADD") && !text.Within(start, end, "IF", "NOT", "EXISTS"))
                || (text.At(start, "DROP") && !text.Within(start, end, "IF", "EXISTS") && !text.At(start + 1, "NOT"))
                || text.At(start, "RENAME") || text.At(start, "ATTACH") || text.At(start, "DETACH"))
            {
                return table;
            }
        }

        return null;
    }

    /// <summary>Whether an earlier DROP … IF EXISTS makes room for it.</summary>
    private static bool DroppedBefore(TextContext context, StatementText text, string name) =>
        context.DefinitionsBefore(text).Any(earlier => earlier.Has("DROP") && earlier.Has("IF", "EXISTS")
                && earlier.Tokens.Any(token => token.Name == name || Names.Qualified("public", token.Name ?? "") == name));

    private static bool Worn(StatementFacts s, Relation table) =>
        s.Text.Is("ALTER", "TABLE") && s.Trace.Transaction > 0 && s.Scanned(table.Oid) && s.ActivityOn(table.Oid).SequentialScans > 0
        && s.Trace.Statement.Text.Contains(table.Name, StringComparison.OrdinalIgnoreCase)
            && s.Text.NameAt(s.Text.SkipGuards(2))?.Name == table.Name;
}
