using ChatGenius.Tests.Replay;

namespace ChatGenius.Tests.Tool;

/// <summary>The examples of <c>docs/testing.md</c>, run as they are written where their language is on the machine.</summary>
[Trait("Needs", "Unix")]
public sealed class TestingDocumentTests : IClassFixture<ReplayServer>, IDisposable
{
    private static readonly string Document = Repository.Read("docs/testing.md").ReplaceLineEndings("\n");

    private readonly Sandbox _sandbox = new();
    private readonly Dictionary<string, string?> _environment;

    public TestingDocumentTests(ReplayServer server)
    {
        var tool = ToolProcess.Executable ?? $"dotnet '{Path.Combine(AppContext.BaseDirectory, "chatgenius-db.dll")}'";
        UnixMode.Set(_sandbox.Write("bin/chatgenius-db", $"#!/bin/sh\nexec {tool} -q \"$@\"\n"), (UnixFileMode)0b111_101_101);
        _environment = new()
        {
            ["PATH"] = $"{_sandbox.Combine("bin")}:{Environment.GetEnvironmentVariable("PATH")}",
            ["CHATGENIUS_DATA_DIR"] = server.DataFolder,
        };
    }

    public void Dispose() => _sandbox.Dispose();

    /// <summary>The class of the text is compiled into these tests; here it meets the tool through the environment of a process.</summary>
    [Fact]
    public async Task The_class_for_xUnit_gives_a_database_and_drops_it()
    {
        Repository.Read("tests/ChatGenius.Tests/Tool/ChatDatabase.cs").ReplaceLineEndings("\n").ShouldEndWith(Block("csharp"));
        var before = _environment.ToDictionary(one => one.Key, one => Environment.GetEnvironmentVariable(one.Key));
        try
        {
            foreach (var (name, value) in _environment)
            {
                Environment.SetEnvironmentVariable(name, value);
            }

            var database = new ChatDatabase();
            await database.InitializeAsync();
            (await HasUsersAsync(database.ConnectionString)).ShouldBeTrue();
            await database.DisposeAsync();
            (await Should.ThrowAsync<PostgresException>(() => HasUsersAsync(database.ConnectionString))).SqlState
                .ShouldBe(PostgresErrorCodes.InvalidCatalogName);
        }
        finally
        {
            foreach (var (name, value) in before)
            {
                Environment.SetEnvironmentVariable(name, value);
            }
        }
    }

    [NeedsFact(Need.Node)]
    public async Task The_setup_for_Vitest_and_Jest_gives_each_worker_a_database()
    {
        _sandbox.Write("database.mjs", Block("js"));
        _sandbox.Write("run.mjs",
            """
            import start, { setup, teardown } from './database.mjs';
            import { execFileSync } from 'node:child_process';
            const list = () => execFileSync('chatgenius-db', ['test-database', 'list'], { encoding: 'utf8' });
            const end = await start();
            const urls = [1, 2, 3, 4].map(i => process.env[`DATABASE_URL_${i}`]);
            console.log(new Set(urls).size, urls.every(url => list().includes(url)));
            await end();
            console.log(urls.some(url => list().includes(url)), typeof setup, typeof teardown);
            """);

        (await OutputAsync("node", "run.mjs")).ShouldBe("4 true\nfalse function function\n");
    }

    [NeedsFact(Need.Pytest)]
    public async Task The_fixture_for_pytest_gives_each_test_a_database_and_drops_it()
    {
        _sandbox.Write("conftest.py", Block("python"));
        _sandbox.Write("test_chat.py",
            """
            import subprocess

            seen = []

            def there(url):
                return url in subprocess.check_output(["chatgenius-db", "test-database", "list"], text=True)

            def test_one(database_url):
                seen.append(database_url)
                assert there(database_url)

            def test_another(database_url):
                assert database_url not in seen and there(database_url)

            def test_dropped():
                assert len(seen) == 1 and not there(seen[0])
            """);

        (await OutputAsync("pytest", "-q", "-p", "no:cacheprovider")).ShouldContain("3 passed");
    }

    [NeedsFact(Need.Go)]
    public async Task The_function_for_Go_gives_a_database()
    {
        _sandbox.Write("go.mod", "module chat\n\ngo 1.18\n");
        _sandbox.Write("database_test.go", Block("go"));
        _sandbox.Write("chat_test.go",
            """
            package chat

            import (
            	"strings"
            	"testing"
            )

            func TestDatabase(t *testing.T) {
            	if url := NewDatabase(t); !strings.HasPrefix(url, "postgres://") {
            		t.Fatal(url)
            	}
            }
            """);

        (await OutputAsync("go", "test", "./...")).ShouldContain("ok");
    }

    private static string Block(string language) => Document.Split($"\n```{language}\n")[1].Split("\n```")[0] + "\n";

    private async Task<string> OutputAsync(string program, params string[] arguments)
    {
        await using var process = ToolProcess.StartProcess(program, arguments, _sandbox.Path, _environment, null);
        var result = await process.ExitAsync();
        result.ExitCode.ShouldBe(0, $"{result.Output}\n{result.Error}");
        return result.Output;
    }

    private static async Task<bool> HasUsersAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT to_regclass('users') IS NOT NULL", connection);
        return (bool)(await command.ExecuteScalarAsync())!;
    }
}
