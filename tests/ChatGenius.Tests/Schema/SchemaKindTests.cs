using System.Text.RegularExpressions;
using ChatGenius.Db.Schema;
using ChatGenius.Tests.Tool;

namespace ChatGenius.Tests.Schema;

/// <summary>Every kind of object with every property: nothing of it is lost by a dump, and no change of it goes unseen.</summary>
public partial class SchemaKindTests
{
    private const SchemaParts Parts = SchemaParts.Dependencies | SchemaParts.Owners;

    [Fact]
    public async Task What_a_dump_builds_gives_the_same_dump_and_is_the_same_to_pg_dump()
    {
        await using var original = await SchemaCase.BuildAsync("kinds.sql");
        await using var copy = await TestDatabase.CreateAsync();
        var snapshot = await SchemaCase.ReadAsync(original, Parts);
        var script = SchemaScript.Of(snapshot);

        await using (var connection = await copy.ConnectAsync())
        {
            await SchemaCase.RunAsync(connection, script.Statements);
        }

        var rebuilt = await SchemaCase.ReadAsync(copy, Parts);
        SchemaDiff.Between(snapshot, rebuilt).Select(d => d.ToString()).ShouldBeEmpty();
        rebuilt.ToString().ShouldBe(snapshot.ToString());
        (await PgDumpAsync(copy)).ShouldBe(await PgDumpAsync(original));
        script.LeftOut.Select(p => p.Message.Split(':')[0]).ShouldBe(
        [
            "The extension citext", "The extension pgcrypto", "The user mapping FOR PUBLIC SERVER ks",
            "The user mapping FOR pg_monitor SERVER ks",
            "The subscription sub",
        ]);
        // A database with a subscription can't be dropped.
        await original.ExecuteAsync("DROP SUBSCRIPTION sub");
        await copy.ExecuteAsync("DROP SUBSCRIPTION sub");
    }

    [Fact]
    public async Task Every_change_by_hand_is_a_difference()
    {
        await using var database = await SchemaCase.BuildAsync("kinds.sql");
        await using var connection = await database.ConnectAsync();
        var options = new SchemaReadOptions { Parts = SchemaParts.Default | Parts };
        var before = await SchemaReader.ReadAsync(Session.Over(connection, "reading the schema"), options);
        var unseen = new List<string>();
        var changes = (await File.ReadAllLinesAsync(SchemaCase.PathOf("kinds.sql")))
            .Where(l => l.StartsWith("--> ", StringComparison.Ordinal)).ToList();
        changes.Count.ShouldBeGreaterThan(60);

        foreach (var change in changes)
        {
            await SchemaCase.RunAsync(connection, ["BEGIN", change["--> ".Length..]]);
            var after = await SchemaReader.ReadAsync(Session.Within(connection, "reading the schema"), options);
            await SchemaCase.RunAsync(connection, ["ROLLBACK"]);
            unseen.AddRange(SchemaDiff.Between(before, after).Count == 0 ? [change] : []);
        }

        await database.ExecuteAsync("DROP SUBSCRIPTION sub");
        unseen.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_history_in_a_schema_of_others_hides_nothing_but_its_own_tables()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.ConnectionString } };
        tool.Write("migrations/0001_a.sql", "-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n");
        (await tool.RunAsync("apply", "--no-bundle", "--history-schema", "public")).ExitCode.ShouldBe(ChatGenius.Tool.ExitCode.Done);
        await database.ExecuteAsync("CREATE TABLE rogue (id int); ALTER TABLE a ADD COLUMN sneaky int");

        var drift = await tool.RunAsync("drift", "--no-bundle", "--history-schema", "public", "--shadow", database.Url.ConnectionString);

        drift.Out.ShouldBe("+ table public.a: column sneaky: integer\n+ table public.rogue\n", drift.Error);
    }

    /// <summary>What pg_dump writes, entry by entry: their order may depend on oids.</summary>
    private static async Task<string> PgDumpAsync(TestDatabase database)
    {
        await using var process = ToolProcess.StartProcess(
            Psql.Find("pg_dump"), ["--schema-only"], workingDirectory: null, database.Url.LibpqEnvironment()!, input: null);
        var result = await process.ExitAsync();
        result.ExitCode.ShouldBe(0, result.Error);
        var entries = Noise().Replace(result.Output, "").Split("\n--\n-- Name: ").Skip(1).Select(e => e.Trim('\n', '-', ' '))
            .Order(StringComparer.Ordinal);
        return string.Join("\n\n-- ", entries);
    }

    [GeneratedRegex(
        @"^\\(un)?restrict .*\n|^SET default_\w+ = .*;\n+|(?<=CONNECTION ')[^']*"
        + @"|(?<=USER MAPPING FOR \S+ SERVER \S+)( OPTIONS \([^)]*\))?|^-- PostgreSQL database dump complete\n",
        RegexOptions.Multiline)]
    private static partial Regex Noise();
}
