using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using ChatGenius.Db.Replay;
using ChatGenius.Db.Text;

namespace ChatGenius.Tool.Commands;

internal sealed partial class WithDatabaseCommand(TestDatabaseRequests requests, TargetFinder targets, Shell shell, Report report)
{
    private const int Terminate = 15;

    internal static readonly Command Definition = new("with-database", "Run a command with a fresh database of its own")
    {
        PassesOn = true,
        Configure = app =>
        {
            var server = app.Option("--server <URL>", TestDatabaseCommand.Server, CommandOptionType.SingleValue);
            var content = new TestDatabaseOptions(app);
            return Command.Handle<WithDatabaseCommand>((command, cancellationToken) =>
                command.RunAsync(content, server.Value(), app.RemainingArguments, cancellationToken));
        },
        Details =
            """
            The command sees the database in DATABASE_URL and CHATGENIUS_DATABASE_URL, and
            no variable of libpq (PGHOST and the like) that would name another. The
            database is dropped when the command has ended; its exit code is ours.
            """,
        Examples =
            """
            chatgenius-db with-database -- npm test
            chatgenius-db with-database --empty-tables -- go test ./...
            """,
    };

    private async Task<ExitCode> RunAsync(
        TestDatabaseOptions content, string? server, IReadOnlyList<string> words, CancellationToken cancellationToken)
    {
        var call = words.SkipWhile(word => word == "--").ToList();
        if (call.Count == 0)
        {
            throw new ProblemException("CG1010", "with-database needs a command",
                advice: "Write it after --, as in: with-database -- npm test");
        }

        using var progress = new RunProgress(report);
        progress.Show("Making the test database");
        await using var replayer = targets.Replayer(server, new ReplayOptions(), "--server");
        replayer.LookAhead(cancellationToken);
        var request = await requests.OfAsync(content, cancellationToken);
        await using var database = await new TestDatabases(replayer).OpenAsync(request, cancellationToken);
        TestDatabaseRequests.Warn(report, database.Missing);
        progress.Dispose();
        report.Detail($"The database is {database.Database.Url.Display}");
        return (ExitCode)await RunAsync(call, database.Database.Url);
    }

    /// <summary>
    /// Ctrl-C on a terminal reaches the command too; what ends us alone is passed on to it. Either way its end is waited for.
    /// </summary>
    private async Task<int> RunAsync(List<string> call, DatabaseUrl url)
    {
        using var process = Start(call, url);
        using var passOn = OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            if (!process.HasExited)
            {
                _ = Kill(process.Id, Terminate);
            }
        });
        await process.WaitForExitAsync(CancellationToken.None);
        return process.ExitCode;
    }

    private Process Start(List<string> call, DatabaseUrl url)
    {
        // As a shell finds it: in PATH, or where a name with a folder says.
        var program = call[0].Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal) ? shell.Absolute(call[0])
            : ProgramFile.Find(call[0], shell.Variable("PATH"));
        var start = new ProcessStartInfo(
            program ?? throw NotStarted(call[0], "it is not on PATH"), call[1..]) { WorkingDirectory = shell.WorkingDirectory };
        start.Environment.Clear();
        foreach (var (name, value) in shell.Environment.Where(variable => !OfLibpq().IsMatch(variable.Key)))
        {
            start.Environment[name] = value;
        }

        // The chosen environment names a database of its own.
        start.Environment.Remove("CHATGENIUS_ENV");
        start.Environment["DATABASE_URL"] = start.Environment["CHATGENIUS_DATABASE_URL"] = url.WithSecret;
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw NotStarted(call[0], e.Message);
        }
    }

    private static ProblemException NotStarted(string program, string why) =>
        new("CG1012", $"{program} can't be started: {why}", advice: "Check its name and PATH.");

    [GeneratedRegex("^PG(?!DATA$)[A-Z]")]
    private static partial Regex OfLibpq();

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
