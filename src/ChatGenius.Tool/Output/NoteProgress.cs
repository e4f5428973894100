namespace ChatGenius.Tool.Output;

/// <summary>
/// Prints what takes its time, immediately: <see cref="Progress{T}"/> would do so on another thread, after what comes next.
/// </summary>
internal sealed class NoteProgress(Report report) : IProgress<string>
{
    public void Report(string value) => report.Note(value);
}

/// <summary>Prints each step, with <c>--verbose</c>.</summary>
internal sealed class DetailProgress(Report report) : IProgress<string>
{
    public void Report(string value) => report.Detail(value);
}
