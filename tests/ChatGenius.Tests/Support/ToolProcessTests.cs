namespace ChatGenius.Tests.Support;

[Trait("Needs", "Unix")]
public class ToolProcessTests
{
    [Fact]
    public async Task Both_outputs_the_input_and_the_exit_code_come_through()
    {
        await using var process = ToolProcess.StartProcess("sh", ["-c", "cat; echo oops >&2; echo \"$ONE$PGHOST\"; exit 7"], null,
            new Dictionary<string, string?> { ["ONE"] = "1" }, "ä\n");

        (await process.ExitAsync()).ShouldBe(new ToolResult(7, "ä\n1\n", "oops\n"));
    }

    [Fact]
    public async Task An_interrupt_reaches_it()
    {
        await using var process = ToolProcess.StartProcess("sh",
            ["-c", "trap 'echo caught; exit 130' INT; echo ready; while :; do sleep 0.05; done"], null, null, null);
        await process.WaitForOutputAsync("ready");

        process.Interrupt();

        (await process.ExitAsync()).ShouldBe(new ToolResult(130, "ready\ncaught\n", ""));
    }

    [Fact]
    public async Task Psql_stops_at_the_first_error()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var sandbox = new Sandbox();

        var result = await Psql.RunAsync(db, sandbox.Write("f.sql",
            "CREATE TABLE one (id int);\nSELECT 1/0;\nCREATE TABLE two (id int);\n"));

        result.ExitCode.ShouldBe(3);
        (await db.ScalarAsync<string>("SELECT string_agg(tablename::text, ',') FROM pg_tables WHERE schemaname = 'public'"))
            .ShouldBe("one");
    }
}
