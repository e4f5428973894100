using ChatGenius.Db.Connections;

namespace ChatGenius.Db.Migrations;

/// <summary>When the next slice may run: looks before each one whether others would be harmed, and whether somebody asks for a
/// pause.</summary>
/// <param name="session">Where; it has the lock.</param>
/// <param name="step">The section.</param>
/// <param name="limits">What is too much.</param>
/// <param name="events">Told why it waits.</param>
internal sealed class BatchPace(MigrationSession session, MigrationStep step, BatchLimits limits, IProgress<MigrationEvent>? events)
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    private readonly BatchEyes _eyes = new(session.Lock, limits, session.IsPooled ? null : session.Facts.BackendPid);
    private bool _saidUnseen;

    /// <summary>Waits until nothing speaks against the next slice.</summary>
    /// <param name="key">The table.</param>
    /// <param name="state">How far the slices are.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The state, with what somebody asks for by now.</returns>
    internal async Task<BatchState> WaitAsync(BatchKey key, BatchState state, CancellationToken cancellationToken)
    {
        while (true)
        {
            var reasons = BatchControl.Parse(state.Control).Paused
                ? ["somebody asked for it; 'chatgenius-db batch resume' ends it"] : await _eyes.LookAsync(key.TableId, cancellationToken);
            if (!_saidUnseen && _eyes.Unseen.Count > 0)
            {
                _saidUnseen = true;
                events?.Report(new MigrationEvent.Remark($"{step.Id}: {string.Join("; ", _eyes.Unseen)}"));
            }

            if (reasons.Count == 0)
            {
                return state;
            }

            events?.Report(new MigrationEvent.Batches(step, state, string.Join("; ", reasons)));
            await Task.Delay(Beat, cancellationToken);
            var states = await session.History.ReadBatchesAsync(
                Session.Over(session.Connection, "reading what is asked of batches"), waitForWriters: false, cancellationToken);
            state = state with { Control = states.FirstOrDefault(state.IsSame)?.Control };
        }
    }

    /// <summary>Rests after a slice: the section's own pause, and the share of the time that the load leaves.</summary>
    internal Task RestAsync(BatchState state, TimeSpan worked, TimeSpan pause, CancellationToken cancellationToken)
    {
        var load = Math.Clamp(BatchControl.Parse(state.Control).Load ?? limits.Load, 1, 100);
        var rest = (worked * (100 - load) / load) + pause;
        return rest > TimeSpan.Zero ? Task.Delay(rest, cancellationToken) : Task.CompletedTask;
    }
}
