using System.Collections.Immutable;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Safety;

/// <summary>M1xx: the migration as a file.</summary>
internal static class HygieneRules
{
    internal static readonly Hazard NoDown = new()
    {
        Id = "M101",
        Name = "no-down",
        Severity = Severity.Warning,
        Title = "There is no way back",
        Effect = "The down section is empty, so rollback takes the migration out of the history and leaves what it did.",
        Advice = "Write it, or say -- migrate:down irreversible:true.",
        Documentation = "ddl.html",
        Evidence = Evidence.Text,
        RefusedWith = "CG0317",
    };

    internal static readonly Hazard DownDoesNotRestore = new()
    {
        Id = "M102",
        Name = "down-does-not-restore",
        Severity = Severity.Warning,
        Title = "Down does not give back what was there",
        Effect = "After up and down the schema is another one than before, or rows and values are gone that were there before.",
        Advice = "Complete the down section; where data can't come back, say irreversible:true.",
        Documentation = "ddl.html",
        Evidence = Evidence.Catalog,
    };

    internal static readonly Hazard NotRerunnable = new()
    {
        Id = "M103",
        Name = "not-rerunnable",
        Severity = Severity.Info,
        Title = "A statement of several without a transaction can't be run twice",
        Effect = "When the file fails in the middle, what ran before stays. apply goes on from there; other tools, and people with psql, begin at the top again and stop here.",
        Advice = "One statement a file, or IF EXISTS and IF NOT EXISTS.",
        Documentation = "sql-commands.html",
        Evidence = Evidence.Text,
        WordsAlways = true,
        Recognise = (text, context) => !context.Section.Transactional && context.Section.Script.Statements.Count > 1 && CanRunOnce(text) is { } name && !DroppedBefore(context.Section, text.Statement, name)
            ? new Words(name, "It can't be run twice, and the file is not one transaction")
            : null,
    };

    internal static readonly Hazard SessionStateLeaks = new()
    {
        Id = "M104",
        Name = "session-state-leaks",
        Severity = Severity.Warning,
        Title = "A setting outlives the migration",
        Effect = "SET and SET ROLE last until the session ends, so later migrations of the same run see another search_path or role; other tools fail on it.",
        Advice = "SET LOCAL, which ends with the transaction.",
        Documentation = "sql-set.html",
        Traced = facts =>
            facts.Trace.SettingsLeft.Length == 0
                ? []
                :
                [
                    new Hit(
                        facts.Culprit(s => s.Text.Is("SET") || s.Trace.Statement.Text.Contains("set_config", StringComparison.OrdinalIgnoreCase)),
                        Names.List(facts.Trace.SettingsLeft.Select(setting => setting.Split(' ')[0])), $"The session keeps {Names.List(facts.Trace.SettingsLeft)}",
                        string.Join('\n', facts.Trace.SettingsLeft.Select(setting => setting.Split(" = ") is [var name, var value] ? $"SET LOCAL {name} = {SqlLiteral.Quote(value)};" : ""))),
                ],
    };

    internal static readonly Hazard DynamicSql = new()
    {
        Id = "M105",
        Name = "dynamic-sql",
        Severity = Severity.Info,
        Title = "What this code does can't be read from its text",
        Effect = "The statement could not be run on the throw-away database, and a DO block or CALL can do anything.",
        Advice = "Make it run there, so that its effects are seen.",
        Documentation = "sql-do.html",
        Evidence = Evidence.Text,
        Recognise = (text, _) => text.Is("DO") || text.Is("CALL") ? new Words("", $"What {text.Tokens[0].Text} does can't be read from its text") : null,
    };

    internal static readonly Hazard CombineAlters = new()
    {
        Id = "M106",
        Name = "combine-alters",
        Severity = Severity.Info,
        Title = "Two ALTER TABLE of one table each read it whole",
        Effect = "Every one scans or rewrites the table; together they would do it once.",
        Advice = "One ALTER TABLE with several actions.",
        Documentation = "sql-altertable.html#SQL-ALTERTABLE-NOTES",
        Traced = facts =>
            from s in facts.Statements
            from table in s.Trace.Activity.Keys.Select(s.Before.Root).Distinct().Select(s.Before.Find).OfType<Relation>()
            where Worn(s, table) && facts.Statements.Any(earlier => earlier.Trace.Index < s.Trace.Index && earlier.Trace.Transaction == s.Trace.Transaction && Worn(earlier, table))
            select s.HitOn(table, $"An earlier ALTER TABLE of this migration reads {table.Display} whole already"),
    };

    internal static readonly Hazard UnusedAllow = new()
    {
        Id = "M107",
        Name = "unused-allow",
        Severity = Severity.Warning,
        Title = "A cgdb:allow covers nothing, or is past its date",
        Effect = "It would hide a hazard that comes later and that nobody has thought about.",
        Advice = "Remove it.",
        Documentation = "sql-syntax-lexical.html#SQL-SYNTAX-COMMENTS",
        Evidence = Evidence.Text,
    };

    internal static readonly ImmutableArray<Hazard> All = [NoDown, DownDoesNotRestore, NotRerunnable, SessionStateLeaks, DynamicSql, CombineAlters, UnusedAllow];

    /// <summary>What is found by looking at the sections as wholes.</summary>
    internal static IEnumerable<(Hazard Hazard, SourceLocation Where, string Subject, string Message, ImmutableArray<string> Facts, string SafeWay)> OfSections(
        CheckedMigration migration, RoundTrip? roundTrip)
    {
        if (roundTrip is null)
        {
            yield break;
        }

        if (roundTrip.Failure is not null || roundTrip.Differences.Length > 0 || roundTrip.SecondUp.Length > 0)
        {
            var message = roundTrip.Failure
                ?? (roundTrip.Differences.Length > 0 ? "After down the schema is not what it was before up" : "After down the second up gives another schema than the first");
            yield return (DownDoesNotRestore, migration.Down.Where, "", message, [.. roundTrip.Differences, .. roundTrip.SecondUp], "");
        }

        foreach (var loss in roundTrip.Lost)
        {
            yield return (DownDoesNotRestore, migration.Down.Where, loss.Subject, $"Down does not bring back {loss}", [], "");
        }
    }

    /// <summary>The name of what a second run would trip over; null when it would not.</summary>
    private static string? CanRunOnce(StatementText text)
    {
        if (text.Is("CREATE") && !text.Is("CREATE", "OR", "REPLACE") && !text.Has("IF", "NOT", "EXISTS"))
        {
            var name = text.Tokens.Skip(1).SkipWhile(token => token.Text is "UNIQUE" or "INDEX" or "CONCURRENTLY" or "TABLE" or "UNLOGGED" or "VIEW" or "MATERIALIZED" or "TYPE" or "SCHEMA"
                or "TRIGGER" or "FUNCTION" or "PROCEDURE" or "SEQUENCE" or "DOMAIN" or "EXTENSION" or "CONSTRAINT").FirstOrDefault();
            return name.Name ?? "";
        }

        if (text.Is("DROP") && !text.Has("IF", "EXISTS"))
        {
            return text.Tokens[^1].Name ?? "";
        }

        foreach (var (table, start, end) in text.AlterTableActions())
        {
            if ((text.At(start, "ADD") && !text.Within(start, end, "IF", "NOT", "EXISTS")) || (text.At(start, "DROP") && !text.Within(start, end, "IF", "EXISTS") && !text.At(start + 1, "NOT"))
                || text.At(start, "RENAME") || text.At(start, "ATTACH") || text.At(start, "DETACH"))
            {
                return table;
            }
        }

        return null;
    }

    /// <summary>Whether an earlier DROP … IF EXISTS makes room for it.</summary>
    private static bool DroppedBefore(CheckedSection section, SqlStatement statement, string name) =>
        section.Script.Statements.TakeWhile(earlier => earlier != statement)
            .Select(earlier => new StatementText(earlier))
            .Any(earlier => earlier.Has("DROP") && earlier.Has("IF", "EXISTS") && earlier.Tokens.Any(token => token.Name == name || Names.Qualified("public", token.Name ?? "") == name));

    private static bool Worn(StatementFacts s, Relation table) =>
        s.Text.Is("ALTER", "TABLE") && s.Trace.Transaction > 0 && s.Scanned(table.Oid) && s.ActivityOn(table.Oid).SequentialScans > 0
        && s.Trace.Statement.Text.Contains(table.Name, StringComparison.OrdinalIgnoreCase) && s.Text.NameAt(s.Text.SkipGuards(2))?.Name == table.Name;
}
