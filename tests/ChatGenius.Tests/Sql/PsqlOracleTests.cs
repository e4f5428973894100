using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Tests.Sql;

/// <summary>What <c>psql -f</c> runs, we run: each difficult file, by psql into one database and statement by statement into
/// another.</summary>
public class PsqlOracleTests
{
    public static TheoryData<string, string> Files()
    {
        var names = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Cases", "psql"), "*.sql").Select(p => Path.GetFileName(p))
            .Order(StringComparer.Ordinal).ToList();
        names.Count.ShouldBeGreaterThanOrEqualTo(20);
        var files = new TheoryData<string, string> { { "unicode.sql", "BOM" } };
        foreach (var name in names)
        {
            files.Add(name, "LF");
        }

        foreach (var name in (string[])["strings.sql", "string_continuation.sql", "dollar_quotes.sql", "nested_comments.sql",
            "begin_atomic_comments.sql", "copy_text.sql", "copy_csv.sql"])
        {
            files.Add(name, "CRLF");
        }

        return files;
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task What_psql_runs_we_run(string file, string form)
    {
        using var sandbox = new Sandbox();
        var text = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Cases", "psql", file));
        text = form == "CRLF" ? text.Replace("\n", "\r\n", StringComparison.Ordinal) : text;
        byte[] bytes = [.. form == "BOM" ? Encoding.UTF8.Preamble : [], .. Encoding.UTF8.GetBytes(text)];
        var path = sandbox.Write(file, bytes);
        await using var expected = await TestDatabase.CreateAsync();
        await using var actual = await TestDatabase.CreateAsync();

        var psql = Psql.RunAsync(expected, path);
        await RunAsync(actual, SqlScript.Parse(await SourceText.ReadAsync(path)));
        (await psql).ExitCode.ShouldBe(0, (await psql).Error);

        var dumps = await Task.WhenAll(DumpAsync(expected), DumpAsync(actual));
        dumps[0].ShouldContain("CREATE TABLE");
        dumps[1].ShouldBe(dumps[0]);
    }

    private static async Task RunAsync(TestDatabase database, SqlScript script)
    {
        await using var connection = await database.ConnectAsync();
        foreach (var statement in script.Statements)
        {
            if (statement.IsCopyFromStdin)
            {
                await using var copy = (StreamWriter)await connection.BeginTextImportAsync(statement.Text);
                await copy.BaseStream.WriteAsync(statement.CopyData);
            }
            else
            {
                await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new NpgsqlBatchCommand(statement.Text) } };
                await batch.ExecuteNonQueryAsync();
            }
        }
    }

    /// <summary>The catalog and the rows; without the lines by which pg_dump marks one dump from another.</summary>
    private static async Task<string> DumpAsync(TestDatabase database)
    {
        var dump = await PgDump.RunAsync(database);
        dump.ExitCode.ShouldBe(0, dump.Error);
        return string.Join('\n', dump.Output.Split('\n').Where(l => !l.StartsWith("\\restrict", StringComparison.Ordinal)
            && !l.StartsWith("\\unrestrict", StringComparison.Ordinal)));
    }
}
