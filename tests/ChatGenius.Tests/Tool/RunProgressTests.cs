using ChatGenius.Db.Text;
using ChatGenius.Tool.Output;

namespace ChatGenius.Tests.Tool;

public class RunProgressTests
{
    private static readonly Migration Transactional = Parse("0001_one", "");
    private static readonly Migration Stepwise = Parse("0002_two", " transaction:false");

    [Fact]
    public void In_a_pipe_each_finished_migration_is_a_line_without_colour()
    {
        Run(terminal: false, progress =>
        {
            progress.Report(new MigrationEvent.Started(Step(Transactional)));
            progress.Report(new MigrationEvent.Finished(Step(Transactional), TimeSpan.FromMilliseconds(12)));
        }).ShouldBe("applied 0001_one                           12 ms\n");
    }

    [Fact]
    public void In_a_pipe_the_statements_of_a_migration_without_a_transaction_are_lines_too()
    {
        Run(terminal: false, progress =>
            progress.Report(new MigrationEvent.StatementStarted(Step(Stepwise), 1, 1, Stepwise.Up.Script.Statements[0].Location)))
            .ShouldBe("  0002_two: statement 1 of 1 at 0002_two.sql:2:1\n");
    }

    [Fact]
    public async Task On_a_terminal_a_live_line_fits_into_its_width_and_goes_away()
    {
        using var tool = new InProcess { Terminal = true, Width = 30 };
        var error = new Screen();
        using (var progress = new RunProgress(new Report(tool.Shell(TextWriter.Null, error), json: false, color: true)))
        {
            progress.Report(new MigrationEvent.Started(Step(Transactional)));
            progress.Report(new MigrationEvent.WaitingForRelation(Step(Transactional),
                [new LockHolder(7, "a\e[2J漢字漢字漢字漢字漢字", "u", null, "q")]));
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
            while (!error.Text.Contains("0001_one", StringComparison.Ordinal))
            {
                await Task.Delay(20, patience.Token);
            }
        }

        var frames = error.Text.Split("\r\e[2K");
        frames[^1].ShouldBeEmpty();
        frames.ShouldAllBe(frame => Cells.Width(frame) < 30 && !frame.Contains('\n') && !frame.Contains('\e'));
    }

    [Fact]
    public void Notices_are_shown_to_those_who_ask_and_warnings_to_all()
    {
        Run(terminal: false, progress =>
        {
            progress.Report(new MigrationEvent.Notice(null, "NOTICE", "relation exists, skipping"));
            progress.Report(new MigrationEvent.Notice(null, "WARNING", "there is no transaction in progress"));
        }).ShouldBe("  WARNING: there is no transaction in progress\n");
    }

    [Fact]
    public void A_cancelled_run_says_where_it_stands()
    {
        Run(terminal: false, progress => progress.Report(new MigrationEvent.Cancelled(Step(Transactional), 2)))
            .ShouldBe("Cancelled: 0001_one is not applied; 2 migrations were finished before\n");
        Run(terminal: false, progress => progress.Report(new MigrationEvent.Cancelled(Step(Stepwise), 0)))
            .ShouldBe("Cancelled: 0002_two was interrupted, and the next run continues it\n");
    }

    private static string Run(bool terminal, Action<RunProgress> act)
    {
        using var tool = new InProcess { Terminal = terminal };
        var error = new StringWriter { NewLine = "\n" };
        using (var progress = new RunProgress(new Report(tool.Shell(TextWriter.Null, error), json: false, color: true)))
        {
            act(progress);
        }

        return error.ToString();
    }

    private static MigrationStep Step(Migration migration) =>
        new(migration.Version, migration.Name, MigrationDirection.Up, migration.Up, migration, resume: null);

    private static Migration Parse(string name, string option) =>
        MigrationParser.Parse(SourceText.From($"{name}.sql", $"-- migrate:up{option}\nSELECT 1;\n-- migrate:down\nSELECT 1;\n"),
            MigrationOrigin.Folder);

    /// <summary>Written to by a timer while a test reads it.</summary>
    private sealed class Screen : StringWriter
    {
        private readonly Lock _gate = new();

        public string Text
        {
            get
            {
                lock (_gate)
                {
                    return ToString();
                }
            }
        }

        public override void Write(string? value)
        {
            lock (_gate)
            {
                base.Write(value);
            }
        }
    }
}
