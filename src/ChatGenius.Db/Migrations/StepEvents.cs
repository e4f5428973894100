namespace ChatGenius.Db.Migrations;

/// <summary>
/// Reports what happens to the steps of a run, each begin once and in order, although two flows see them: the run that sends steps to the
/// server, and the watch that sees their statements there.
/// </summary>
/// <param name="steps">All steps of the run, in order.</param>
/// <param name="events">Who is interested.</param>
internal sealed class StepEvents(IReadOnlyList<MigrationStep> steps, IProgress<MigrationEvent>? events)
{
    private readonly Lock _gate = new();
    private readonly List<(MigrationStep Step, TimeSpan Duration)> _finished = [];
    private int _begun;
    private int _current = -1;
    private int _sentEnd;

    /// <summary>What is done and durable.</summary>
    internal IReadOnlyList<(MigrationStep Step, TimeSpan Duration)> Finished => _finished;

    /// <summary>The step that is running, as far as is known; <c>null</c> before the first.</summary>
    internal MigrationStep? Current
    {
        get
        {
            lock (_gate)
            {
                return _current < 0 ? null : steps[_current];
            }
        }
    }

    /// <summary>Where an event goes that is of no interest here.</summary>
    internal void Report(MigrationEvent value) => events?.Report(value);

    /// <summary>The next steps are sent to the server; the first of them begins.</summary>
    internal void Send(int count)
    {
        lock (_gate)
        {
            _sentEnd = _finished.Count + count;
            Reach(_finished.Count);
        }
    }

    /// <summary>The step that the server is at, by the statement that was seen there.</summary>
    internal MigrationStep? See(string? query)
    {
        lock (_gate)
        {
            if (query is not null && StepAt(steps, Math.Max(0, _current), _sentEnd, query) is { } at)
            {
                Reach(at);
            }
        }

        return Current;
    }

    /// <summary>A step was running when something ended it.</summary>
    internal void Meet(MigrationStep step)
    {
        lock (_gate)
        {
            for (var i = _finished.Count; i < steps.Count; i++)
            {
                if (ReferenceEquals(steps[i], step))
                {
                    Reach(i);
                    return;
                }
            }
        }
    }

    /// <summary>The next steps are done and durable.</summary>
    internal void Finish(IEnumerable<(MigrationStep Step, TimeSpan Duration)> done)
    {
        foreach (var (step, duration) in done)
        {
            lock (_gate)
            {
                Reach(_finished.Count);
                _finished.Add((step, duration));
            }

            Report(new MigrationEvent.Finished(step, duration));
        }
    }

    /// <summary>
    /// The step that must have begun when the server is at a statement. The results can't tell: the server keeps those of a pipeline until
    /// its buffer is full or the pipeline ends.
    /// </summary>
    /// <param name="steps">The steps.</param>
    /// <param name="first">The step that is running. Only later ones are searched: an earlier one may have the same statement.</param>
    /// <param name="end">Behind the last step that the server has.</param>
    /// <param name="query">The statement, or its beginning.</param>
    internal static int? StepAt(IReadOnlyList<MigrationStep> steps, int first, int end, string query)
    {
        const int Compared = 200;
        var seen = query.AsSpan(0, Math.Min(query.Length, Compared));
        for (var i = first; i < end; i++)
        {
            foreach (var statement in steps[i].Section.Script.Statements)
            {
                // A character is four bytes at the most.
                var text = statement.Source.Substring(statement.Start, Math.Min(statement.End, statement.Start + (4 * Compared)));
                if (text.AsSpan().StartsWith(seen))
                {
                    return i;
                }
            }
        }

        return null;
    }

    private void Reach(int step)
    {
        for (; _begun <= step; _begun++)
        {
            Report(new MigrationEvent.Started(steps[_begun]));
        }

        _current = step;
    }
}
