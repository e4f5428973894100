namespace ChatGenius.Tests.Connections;

public class HostileServerTests
{
    [Fact]
    public async Task A_message_of_two_gigabytes_is_a_problem_while_connecting()
    {
        await using var server = new HostileServer(HostileServer.AnnounceTwoGigabytesAsync);

        (await ProblemOf(new Database(server.Url).ConnectAsync())).Code.ShouldBe("CG0639");
    }

    [Fact]
    public async Task Notices_without_end_end_with_the_time_to_connect()
    {
        await using var server = new HostileServer(HostileServer.NoticeForEverAsync);

        (await ProblemOf(new Database(server.Within(1)).ConnectAsync())).Code.ShouldBe("CG0612");
    }

    [Fact]
    [Trait("Needs", "Unix")]
    public async Task A_second_signal_ends_the_process_whatever_it_waits_for()
    {
        var asked = new TaskCompletionSource();
        await using var server = new HostileServer(atQuery: (stream, token) =>
        {
            asked.TrySetResult();
            return HostileServer.SayNothingAsync(stream, token);
        });
        await using var tool = ToolProcess.Start(["schema", "dump", "--database", server.Url.Display + "?sslmode=disable"]);
        await asked.Task.WaitAsync(TimeSpan.FromMinutes(1));

        tool.Terminate();
        await Task.Delay(300);
        tool.HasExited.ShouldBeFalse();
        tool.Terminate();

        (await tool.ExitAsync()).ExitCode.ShouldBe(130);
    }

    [Fact]
    public async Task A_message_of_two_gigabytes_is_a_problem_that_names_the_work()
    {
        await using var server = new HostileServer(atQuery: HostileServer.AnnounceTwoGigabytesAsync);
        await using var session = await Session.OpenAsync(new Database(server.Url), "reading the schema");

        var problem = await ProblemOf(session.ScalarAsync<int>("SELECT 1", default));

        problem.Code.ShouldBe("CG0639");
        problem.Message.ShouldStartWith("Reading the schema failed");
    }

    private static async Task<Problem> ProblemOf(Task task) =>
        (await Should.ThrowAsync<ProblemException>(task)).Problems.ShouldHaveSingleItem();
}
