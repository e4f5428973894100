using System.Globalization;
using System.Text;

namespace ChatGenius.Db.Safety;

/// <summary>The page <c>RULES.md</c>, made from the rules.</summary>
internal static class RulesPage
{
    private static readonly (char Letter, string Title)[] Families =
    [
        ('L', "Locks"), ('D', "Data loss"), ('C', "Compatibility with running code"), ('F', "Failure"), ('M', "The migration as a file"),
            ('S', "What is left behind"),
    ];

    private static string Count => Hazards.All.Length.ToString(CultureInfo.InvariantCulture);

    /// <summary>The whole page, with LF line endings.</summary>
    public static string Write()
    {
        var page = new StringBuilder();
        page.Append(
            $"""
            # Rules of `check`

            `chatgenius-db check` runs the pending migrations on a throw-away database and reads back what PostgreSQL did. These are the
            {Count} rules over those facts. This page is made from the rules themselves
            (`chatgenius-db check --rules`), and every example in it is a test.

            A finding is **error** (not to be run as it is), **warning** (to be thought about) or **info** (shown with `--verbose`). Its
            evidence is *traced* (locks, scans and rows that the server reported), *catalog* (before and after) or *text* (the words, where
            a statement could not be run). With `--target` an L finding on a table under 10,000 rows and 10 MB counts one step less.

            ## Allowing a finding

            ```sql
            -- cgdb:allow-file no-lock-timeout: the role sets lock_timeout = 5s
            -- migrate:up transaction:false

            -- cgdb:allow drop-column(shipments.carrier): replaced by carrier_id, reads removed in 4.2
            ALTER TABLE shipments DROP COLUMN carrier;

            -- cgdb:allow L305, L407 until=2026-12-31: 400 rows, run in the window
            ALTER TABLE plans ALTER COLUMN id TYPE bigint;
            ```

            `allow` covers the next statement, `allow-file` comes before `-- migrate:up` and covers the file. Ids or names, separated by
            commas, an object in parentheses where only that is meant, a last day with `until=`; the reason after the colon is required. One
            that covers nothing is reported (M107). Allowing a table or a column to be dropped also allows that down does not bring its
            rows or values back (M102).

            ## The examples' tables

            ```sql
            {RuleFile.Tables}
            ```

            """);
        foreach (var (letter, title) in Families)
        {
            page.Append(CultureInfo.InvariantCulture, $"\n## {letter}: {title}\n");
            foreach (var hazard in Hazards.All.Where(hazard => hazard.Id[0] == letter))
            {
                Write(page, hazard);
            }
        }

        return page.ToString();
    }

    private static void Write(StringBuilder page, Hazard hazard)
    {
        page.Append(
            CultureInfo.InvariantCulture,
            $"""

            ### {hazard.Id} `{hazard.Name}`

            **{hazard.Title}** ({hazard.Severity.ToString().ToLowerInvariant()}, {hazard.Evidence.ToString().ToLowerInvariant()})

            {hazard.Effect}{Refusal(hazard)}

            Safe way: {hazard.Advice} [PostgreSQL: {hazard.File["documentation"]}]({hazard.Documentation})

            ```sql
            """);
        page.Append('\n');
        if (hazard.File.Given.Length > 0)
        {
            page.Append(CultureInfo.InvariantCulture, $"-- given\n{hazard.File.Given}\n\n");
        }

        page.AppendJoin("\n\n", hazard.File.Examples.Select(Text)).Append("\n```\n");
    }

    private static string Refusal(Hazard hazard) => hazard.RefusedWith is { } problem
        ? $" A file that does it is refused with {problem} by every command, `check` too, so nothing is run." : "";

    private static string Text(RuleExample example)
    {
        var head = example.Kind switch { ExampleKind.Bad => "bad", ExampleKind.Good => "good", _ => "not reported" };
        var versions = example.TargetVersion > 0 ? $" (on {example.TargetVersion / 10000}.{example.TargetVersion % 10000})"
            : example.OldestServer > 0 ? $" (PostgreSQL {example.OldestServer})" : "";
        var title = example.Title.Length > 0 ? $": {example.Title}" : "";
        return $"-- {head}{versions}{title}\n{string.Join("\n-- in the next migration\n", example.Sql)}";
    }
}
