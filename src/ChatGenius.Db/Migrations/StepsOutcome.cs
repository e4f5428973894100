using ChatGenius.Db.Connections;

namespace ChatGenius.Db.Migrations;

/// <summary>How steps that were sent to the server ended.</summary>
/// <param name="Done">Those that are done and durable, with the time that each took on the server.</param>
internal abstract record StepsOutcome(IReadOnlyList<(MigrationStep Step, TimeSpan Duration)> Done)
{
    /// <summary>As they should; where some are left, they may be sent again.</summary>
    internal sealed record Ended(IReadOnlyList<(MigrationStep Step, TimeSpan Duration)> Done) : StepsOutcome(Done)
    {
        /// <summary>The repeatable objects that were dropped.</summary>
        internal IReadOnlyList<string> Dropped { get; init; } = [];
    }

    /// <summary>The server refused something, or was told to cancel it. What was open is rolled back.</summary>
    /// <param name="Done">What was done before it.</param>
    /// <param name="Failure">The error, and the step that met it.</param>
    /// <param name="Afterwards">What failed while that was settled, so that it isn't known what is left: then nothing is tried
    /// again.</param>
    internal sealed record Refused(
        IReadOnlyList<(MigrationStep Step, TimeSpan Duration)> Done, SqlPipelineException<MigrationStep> Failure,
            Exception? Afterwards = null)
        : StepsOutcome(Done)
    {
        /// <summary>Whether a part of the step went through before: then earlier attempts don't count.</summary>
        internal bool Advanced { get; init; }
    }

    /// <summary>They were cancelled before the next command was sent.</summary>
    /// <param name="Done">What was done before it.</param>
    /// <param name="UnderWay">The step that was running.</param>
    internal sealed record Cancelled(IReadOnlyList<(MigrationStep Step, TimeSpan Duration)> Done, MigrationStep UnderWay)
        : StepsOutcome(Done);
}
