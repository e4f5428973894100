using ChatGenius.Tests.Faults;
using ChatGenius.Tool;

namespace ChatGenius.Tests.Connections;

[Trait("Needs", "Unix")]
public class EveryCommandTests
{
    /// <summary>What a role can have set, and what would end or change our work.</summary>
    private static readonly string[] Settings =
    [
        "statement_timeout = '40ms'", "lock_timeout = '1ms'", "idle_in_transaction_session_timeout = '500ms'",
            "idle_session_timeout = '500ms'",
        "default_transaction_read_only = on", "default_transaction_isolation = serializable", "default_transaction_deferrable = on",
        "standard_conforming_strings = off", "quote_all_identifiers = on", "\"DateStyle\" = 'German, DMY'",
            "\"IntervalStyle\" = sql_standard",
        "bytea_output = escape", "array_nulls = off", "transform_null_equals = on", "row_security = off", "client_min_messages = log",
    ];

    [Fact]
    public void No_command_and_no_option_is_forgotten() => EveryCommand.Forgotten().ShouldBeEmpty();

    [Fact]
    public async Task Time_limits_a_read_only_default_and_other_settings_of_a_role_end_no_command()
    {
        await using var cluster = await Cluster.CreateAsync();
        await cluster.ExecuteAsync("CREATE ROLE limited LOGIN SUPERUSER");
        foreach (var setting in Settings)
        {
            await cluster.ExecuteAsync($"ALTER ROLE limited SET {setting}");
        }

        await cluster.ExecuteAsync("CREATE DATABASE taken_over");

        await EveryCommand.RunAsync(cluster, "limited", "limited", "taken_over");
    }

    [Fact]
    public async Task A_session_that_is_ended_at_any_moment_is_never_a_fault_of_ours()
    {
        await using var cluster = await Cluster.CreateAsync();
        await cluster.ExecuteAsync("CREATE DATABASE ended");
        using var stop = new CancellationTokenSource();
        var ending = EndSessionsAsync(cluster, stop.Token);

        var ends = await EveryCommand.ReadAsync(cluster.Url("ended"), cluster.Url("postgres"));
        await stop.CancelAsync();
        var ended = await ending;

        ended.ShouldBeGreaterThan(0);
        ends.Where(end => end.ExitCode == ExitCode.Bug).Select(end => $"{end.Call}: {end.ExitCode}\n{end.Error}").ShouldBeEmpty();
    }

    private static async Task<long> EndSessionsAsync(Cluster cluster, CancellationToken stop)
    {
        const string End =
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            + "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        var ended = 0L;
        await using var connection = await new Database(cluster.Url("template1")).ConnectAsync(CancellationToken.None);
        while (!stop.IsCancellationRequested)
        {
            await using var command = new NpgsqlCommand(End, connection);
            ended += (long)(await command.ExecuteScalarAsync(CancellationToken.None))!;
            await Task.Delay(Random.Shared.Next(5, 120), CancellationToken.None);
        }

        return ended;
    }

    [Fact]
    public async Task A_server_that_means_no_good_is_a_problem_in_every_command()
    {
        await using var cluster = await Cluster.CreateAsync();
        foreach (var evil in new[]
        {
            HostileServer.AnnounceTwoGigabytesAsync, HostileServer.BreakOffAsync, HostileServer.FailWithControlCharactersAsync,
            HostileServer.FailAndStayAsync, HostileServer.SayNothingAsync, HostileServer.NoticeForEverAsync,
        })
        {
            await using var server = new HostileServer(atQuery: evil);

            var ends = await EveryCommand.ReadAsync(server.Url, cluster.Url("postgres"), together: true);

            ends.Where(end => end.ExitCode != ExitCode.Error).Select(end => $"{end.Call}: {end.ExitCode}\n{end.Error}")
                .ShouldBeEmpty(evil.Method.Name);
            ends.Where(end => end.Error.Contains('\e', StringComparison.Ordinal) || end.Error.Contains('\a', StringComparison.Ordinal))
                .ShouldBeEmpty();
        }
    }
}
