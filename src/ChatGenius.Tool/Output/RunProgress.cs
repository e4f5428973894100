using System.Diagnostics;

namespace ChatGenius.Tool.Output;

/// <summary>
/// Shows a run while it goes on, on stderr: a line for each migration that is done and, on a terminal, a live one for what is going on.
/// Without a terminal there are only lines that stay.
/// </summary>
internal sealed class RunProgress : IProgress<MigrationEvent>, IDisposable
{
    private const string EraseLine = "\r\e[2K";
    internal static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan BatchBeat = TimeSpan.FromSeconds(10);
    private static readonly string[] Spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

    private readonly Report _report;
    private readonly Lock _gate = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Timer? _timer;
    private bool _isDrawn;
    private string? _live;
    private string _detail = "";
    private TimeSpan _liveSince, _erased, _said;
    private string? _paused;

    public RunProgress(Report report)
    {
        _report = report;
        _timer = report.Beat is { } time ? new Timer(_ => Draw(), null, time, time) : null;
        report.Life = this;
    }

    public void Report(MigrationEvent value)
    {
        lock (_gate)
        {
            if (_report.IsStream)
            {
                _report.Event(EventJson.Of(value));
            }

            switch (value)
            {
                case MigrationEvent.Started e:
                    Live(e.Step.Id);
                    break;
                case MigrationEvent.StatementStarted e:
                    _detail = $"statement {e.Number} of {e.Count}";
                    Plain(e.Text);
                    break;
                case MigrationEvent.StatementRecognised e:
                    Line(Cells.Tame($"  {e.Text}"));
                    break;
                case MigrationEvent.Progress e:
                    _detail = e.Text;
                    break;
                case MigrationEvent.Batches e:
                    Show(e);
                    break;
                case MigrationEvent.WaitingForRelation e:
                    _detail = "waits for " + string.Join("; ", e.Blockers);
                    Plain($"{e.Step?.Id ?? "the run"} {_detail}");
                    break;
                case MigrationEvent.WaitingForLock or MigrationEvent.WaitingForServer or MigrationEvent.WaitingForBackend:
                    Live(value.Text);
                    Plain(value.Text);
                    break;
                case MigrationEvent.Retrying e:
                    Line(Cells.Tame(
                        $"  {e.Step.Id} gave way ({e.Reason}); attempt {e.Attempt + 1} of {e.Attempts + 1} in {Duration.Format(e.Delay)}"));
                    break;
                case MigrationEvent.Notice { PassesOver: true, Severity: "NOTICE" } e:
                    Line(Cells.Tame($"  note: {e.Where}: {e.Message}"));
                    break;
                case MigrationEvent.Notice e when e.Severity == "WARNING" || _report.Verbose:
                    Line(Cells.Tame($"  {e.Text}"));
                    break;
                case MigrationEvent.Remark e:
                    Line(Cells.Tame($"  note: {_report.Executable(e.Message)}"));
                    break;
                case MigrationEvent.Finished e:
                    _live = null;
                    var (verb, style) = (e.Verb, _report.ErrorStyle);
                    Line($"{style.Green(verb)} {Cells.Pad(e.Step.Id, 41 - verb.Length)} {style.Dim(Duration.Format(e.Duration))}");
                    break;
                case MigrationEvent.Cancelled e:
                    _live = null;
                    _report.HasSaidCancelled = true;
                    Line(e.Text);
                    break;
            }
        }
    }

    /// <summary>How far batches are: on the live line always, elsewhere every ten seconds, when it begins to pause, and at the
    /// end.</summary>
    private void Show(MigrationEvent.Batches e)
    {
        _detail = BatchText.Of(e.State, e.Pause);
        if (e.State.Finished || e.Pause != _paused || _clock.Elapsed - _said >= BatchBeat)
        {
            (_said, _paused) = (_clock.Elapsed, e.Pause);
            Plain($"{e.Step.Id}: {_detail}");
        }
    }

    /// <summary>Says what goes on.</summary>
    public void Show(string text)
    {
        lock (_gate)
        {
            Live(text);
        }
    }

    /// <summary>Takes the live line off the terminal, so that another can be written; it comes back by itself.</summary>
    public void Erase()
    {
        lock (_gate)
        {
            if (_isDrawn)
            {
                _report.LiveError.Write(EraseLine);
                _isDrawn = false;
            }

            _erased = _clock.Elapsed;
        }
    }

    /// <summary>Takes the live line away until something else happens.</summary>
    public void Pause()
    {
        lock (_gate)
        {
            Erase();
            _live = null;
        }
    }

    /// <summary>Takes the live line away.</summary>
    public void Dispose()
    {
        _timer?.Dispose();
        Pause();
        _report.Life = null;
    }

    private void Live(string text)
    {
        (_live, _detail, _liveSince) = (text, "", _clock.Elapsed);
    }

    /// <summary>A line that stays, on a terminal and elsewhere; may hold colours of our own and nothing else unruly.</summary>
    private void Line(string line)
    {
        if (!_report.Quiet)
        {
            _report.Error.WriteLine(line);
        }
    }

    /// <summary>What the live line shows already where there is one.</summary>
    private void Plain(string line)
    {
        if (!_report.IsLive)
        {
            Line(Cells.Tame("  " + line));
        }
    }

    private void Draw()
    {
        lock (_gate)
        {
            // Whoever had it erased writes a line now.
            if (_live is null || _clock.Elapsed - _erased < Frame / 2)
            {
                return;
            }

            var frame = Spinner[(int)(_clock.ElapsedMilliseconds / Frame.TotalMilliseconds) % Spinner.Length];
            var text = $"{frame} {_live} {Duration.Format(_clock.Elapsed - _liveSince)}{(_detail.Length > 0 ? $"  {_detail}" : "")}";

            if (!_report.IsLive)
            {
                _report.LiveError.WriteLine($"  {Cells.Tame(text[2..].ReplaceLineEndings(" "))}");
                return;
            }

            // One cell less than the terminal has: writing into the last one would make some of them scroll.
            _report.LiveError.Write(EraseLine + Cells.Cut(Cells.Tame(text.ReplaceLineEndings(" ")), _report.ErrorWidth - 1));
            _isDrawn = true;
        }
    }
}
