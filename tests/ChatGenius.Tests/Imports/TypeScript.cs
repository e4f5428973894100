using ChatGenius.Db;
using ChatGenius.Db.Imports;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Tests.Imports;

/// <summary>Reads a text as the only migration of a folder.</summary>
internal static class TypeScript
{
    private static readonly ImportedMigration None = new("", "", "", "", null);

    /// <summary>What is read.</summary>
    public static ImportedMigration Read(string text, bool mayHaveNone = false)
    {
        using var sandbox = new Sandbox();
        sandbox.Write("0001_in.ts", text);
        try
        {
            var read = TypeScriptFolder.Read(sandbox.Path);
            read.Problems.ShouldBeEmpty();
            return read.Migrations.ShouldHaveSingleItem();
        }
        catch (ProblemException e) when (mayHaveNone && e.Problems[0].Code == "CG1501")
        {
            return None;
        }
    }

    /// <summary>The file that is written, without its first line.</summary>
    public static string Written(string text)
    {
        var file = ImportPlan.Of("typescript", [Read(text)], [], "", []).ShouldHaveSingleItem();
        return file.Text[(file.Text.IndexOf('\n') + 1)..].Replace("0001_in.ts", "in.ts");
    }

    /// <summary>The statements of a section as the server sees them: without comments, and with one blank between tokens.</summary>
    public static List<string> Tokens(string section)
    {
        var source = SourceText.From("", section);
        var statements = new List<string>();
        foreach (var statement in SqlScript.Parse(source).Statements)
        {
            var tokens = new List<string>();
            foreach (var token in statement.Tokens())
            {
                if (token.Kind is not (SqlTokenKind.LineComment or SqlTokenKind.BlockComment))
                {
                    tokens.Add(source.Substring(token.Start, token.End));
                }
            }

            statements.Add(string.Join(' ', tokens));
        }

        return statements;
    }

    /// <summary>The statements of a section.</summary>
    public static List<string> Statements(string section) =>
        [.. SqlScript.Parse(SourceText.From("", section)).Statements.Select(statement => statement.Text)];
}
