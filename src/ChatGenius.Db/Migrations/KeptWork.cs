using System.Globalization;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Sql;

namespace ChatGenius.Db.Migrations;

/// <summary>What a run keeps of rows, and puts back: decided for each section when its turn comes, on the catalog as it is then.</summary>
internal sealed class KeptWork
{
    private readonly MigrationSession _session;
    private readonly IReadOnlyList<KeptGroup> _groups;

    private KeptWork(MigrationSession session, IReadOnlyList<KeptGroup> groups) => (_session, _groups) = (session, groups);

    /// <summary>Looks, before a plan runs, whether what its sections destroy can be kept, as far as the tables are there, and reads
    /// what was kept of what it rolls back.</summary>
    /// <exception cref="ProblemException">CG0534.</exception>
    internal static async Task<KeptWork> BeginAsync(
        MigrationSession session, MigrationPlan plan, MigratorOptions options, CancellationToken cancellationToken)
    {
        var reading = Session.Over(session.Connection, "looking what is to be kept");
        var problems = new List<Problem>();
        foreach (var step in plan.Steps.Where(IsUp))
        {
            if (!session.History.Place.Has("kept"))
            {
                problems.Add(Refused(step, "The history is of an older layout, which keeps no values",
                    "Let a role that may upgrade it run 'chatgenius-db apply' once."));
            }
            else if (options.SingleTransaction && plan.Steps.Count > 1)
            {
                problems.Add(Refused(step, $"What {step.Id} destroys is known only when those before it are committed",
                    "Leave --single-transaction out, or apply it alone with --to."));
            }
            else
            {
                problems.AddRange((await KeptValues.DecideAsync(reading, [.. Earlier(plan, step), step], cancellationToken)).Problems);
            }
        }

        var downs = plan.Steps.Where(step => step.Direction == MigrationDirection.Down && !step.IsRepeatable).ToList();
        var groups = downs.Count == 0 || session.History.Place.IsEmpty("kept") ? []
            : await KeptRestore.ReadAsync(reading, session.History, downs.Select(step => step.Version), cancellationToken);
        foreach (var step in downs)
        {
            if (groups is null && step.Migration?.Up.Keep == true)
            {
                problems.Add(Refused(step, "What it has kept can be read by the owner of the history alone", "Roll back as that role."));
            }
            else if (step.Section is { Transactional: false, Batch: null } && groups?.Any(group => IsOf(group, step)) == true)
            {
                problems.Add(Refused(step,
                    "What it has kept can be put back only in a transaction, and its down section runs outside of one",
                    "Take transaction:false out of the down section, or forget the values first, with "
                        + $"{new ToolCall("kept", "prune", "--migration", step.Version.ToString(CultureInfo.InvariantCulture))}."));
            }
        }

        return problems.Count == 0 ? new KeptWork(session, groups ?? []) : throw new ProblemException(problems);
    }

    /// <summary>Says in a plan what its sections keep.</summary>
    /// <exception cref="ProblemException">CG0534.</exception>
    internal static async Task<MigrationPlan> ForecastAsync(MigrationSession session, MigrationPlan plan,
        CancellationToken cancellationToken)
    {
        var (steps, problems) = (new List<MigrationStep>(), new List<Problem>());
        foreach (var step in plan.Steps)
        {
            var (parts, wrong) = IsUp(step) ? await KeptValues.DecideAsync(
                Session.Over(session.Connection, "looking what is to be kept"), [.. Earlier(plan, step), step], cancellationToken) : ([],
                    []);
            problems.AddRange(wrong);
            steps.Add(IsUp(step) ? step with { Keeps = parts } : step);
        }

        return problems.Count > 0 ? throw new ProblemException(problems) : plan.Steps.Any(IsUp) ? plan with { Steps = steps } : plan;
    }

    private static IEnumerable<MigrationStep> Earlier(MigrationPlan plan, MigrationStep step) =>
        plan.Steps.TakeWhile(other => !ReferenceEquals(other, step)).Where(other => !other.IsRepeatable);

    /// <summary>Whether a section keeps something, or puts something back.</summary>
    internal bool Has(MigrationStep step) => IsUp(step)
        || (step.Direction == MigrationDirection.Down && _groups.Any(group => IsOf(group, step)));

    /// <summary>Decides what is sent for each statement of a section, and after the last one; <c>null</c> where it is the statements
    /// alone.</summary>
    /// <exception cref="ProblemException">CG0534.</exception>
    internal async Task<Func<int, SqlStatement?, IEnumerable<StepCommand>>?> PlanAsync(MigrationStep step,
        CancellationToken cancellationToken)
    {
        if (!Has(step))
        {
            return null;
        }

        var schema = _session.History.Schema;
        var (locked, compare) = _session.History.Hold("kept");
        StepCommand[] held = [locked, compare];
        var reading = Session.Over(_session.Connection, "looking what is to be kept");
        if (IsUp(step))
        {
            var (parts, problems) = await KeptValues.DecideAsync(reading, [step], cancellationToken);
            var sql = new KeptSql(schema, step.Version);
            return problems.Count > 0 ? throw new ProblemException(problems) : (i, statement) => statement is null ? []
                : sql.Around(statement, [.. parts.Where(part => part.Statement == i)]) is var commands
                    && parts.Any(part => part.Statement == i) ? [.. held, .. commands] : commands;
        }

        var catalog = await LossCatalog.ReadAsync(reading, LossReader.NamesIn([step]), cancellationToken);
        var places = KeptRestore.Places(step, _groups.Where(group => IsOf(group, step)), catalog);
        return (i, statement) =>
        {
            var commands = KeptRestore.At(schema, step.Version, places, i).ToList();
            StepCommand[] own = statement is null ? [] : [statement];
            return commands.Count == 0 ? own : [.. held, .. commands, .. own];
        };
    }

    private static bool IsUp(MigrationStep step) => step.Section.Keep && !step.IsRepeatable && step.Direction == MigrationDirection.Up;

    private static bool IsOf(KeptGroup group, MigrationStep step) => group.Version == step.Version && group.Conflict is null;

    private static Problem Refused(MigrationStep step, string message, string advice) => new("CG0534", message, step.Section.Where, advice);
}
