using System.Runtime.CompilerServices;
using ChatGenius.Tests.Faults;

namespace ChatGenius.Tests.Connections;

[Trait("Needs", "Unix")]
public class TrapTests
{
    [Fact]
    public async Task No_command_of_a_superuser_runs_what_others_have_put_into_public_and_all_do_their_work()
    {
        await using var cluster = await Cluster.CreateAsync();
        await Traps.LayAsync(cluster, "postgres", Sources());
        await cluster.ExecuteAsync("CREATE DATABASE trapped TEMPLATE postgres", "template1");
        await cluster.ExecuteAsync("CREATE DATABASE taken_over TEMPLATE postgres", "template1");

        await EveryCommand.RunAsync(cluster, "postgres", "trapped", "taken_over", options: true);

        cluster.Log.ShouldNotContain(Traps.Mark);
    }

    private static IEnumerable<string> Sources([CallerFilePath] string path = "") =>
        new[] { "*.cs", "*.sql" }.SelectMany(pattern => Directory.EnumerateFiles(
            Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "..", "..", "..", "src")), pattern, SearchOption.AllDirectories))
                .Select(File.ReadAllText);
}
