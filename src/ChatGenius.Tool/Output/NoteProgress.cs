namespace ChatGenius.Tool.Output;

/// <summary>
/// Prints what takes its time, immediately: <see cref="Progress{T}"/> would do so on another thread, after what comes next.
/// </summary>
internal sealed class NoteProgress(Report report) : IProgress<string>
{
    public void Report(string value) => report.Note(value);
}

/// <summary>Says each step: on the line that shows that the work goes on, and with <c>--verbose</c> on one of its own.</summary>
internal sealed class DetailProgress(Report report) : IProgress<string>
{
    public void Report(string value)
    {
        report.Life?.Show(value);
        report.Detail(value);
    }
}
