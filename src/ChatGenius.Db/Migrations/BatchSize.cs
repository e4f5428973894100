namespace ChatGenius.Db.Migrations;

/// <summary>
/// How many rows the next slice has: steered to the time that a slice may take. A slice that took twice as long counts immediately; else
/// the average of the last ones does, so that one that met a checkpoint doesn't.
/// </summary>
internal sealed class BatchSize
{
    private const int First = 1000;
    private const int Most = 1_000_000;
    private const int Averaged = 5;

    private readonly int? _fixed;
    private readonly TimeSpan _target;
    private readonly Queue<TimeSpan> _last = new();

    /// <summary>Begins with a size.</summary>
    /// <param name="fixedSize">The size that the section asks for; others who wait still halve it for a while.</param>
    /// <param name="target">How long a slice may take.</param>
    /// <param name="before">The size that an earlier run came to.</param>
    internal BatchSize(int? fixedSize, TimeSpan target, long? before)
    {
        (_fixed, _target) = (fixedSize, target);
        Rows = (int)Math.Clamp(before ?? fixedSize ?? First, 1, fixedSize ?? Most);
    }

    /// <summary>How many rows.</summary>
    internal int Rows { get; private set; }

    /// <summary>A slice of this size went through.</summary>
    internal void Took(TimeSpan time)
    {
        _last.Enqueue(time);
        if (_last.Count > Averaged)
        {
            _last.Dequeue();
        }

        var average = TimeSpan.FromTicks((long)_last.Average(one => one.Ticks));
        if (_fixed is null && (time > 2 * _target || average > _target))
        {
            Change(time > 2 * _target ? 0.5 : 0.8);
        }
        else if (_fixed is not null || average < 0.9 * _target)
        {
            Change(1.1);
        }
    }

    /// <summary>Others had to wait.</summary>
    internal void Halve() => Change(0.5);

    private void Change(double factor)
    {
        Rows = (int)Math.Clamp(factor > 1 ? Math.Ceiling(Rows * factor) : Rows * factor, 1, _fixed ?? Most);
        if (factor < 1)
        {
            // What a larger slice took says nothing of smaller ones.
            _last.Clear();
        }
    }
}
