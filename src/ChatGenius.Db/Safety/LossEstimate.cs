using System.Diagnostics;
using System.Globalization;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Migrations;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Safety;

/// <summary>How exactly it is known how many rows are lost.</summary>
internal enum LossAccuracy
{
    /// <summary>They were counted.</summary>
    Exact,

    /// <summary>So many there are; some of them may stay.</summary>
    AtMost,

    /// <summary>There are too many to count; the number is the server's estimate.</summary>
    About,

    /// <summary>There are more than this, and nobody has counted yet.</summary>
    MoreThan,

    /// <summary>They could not be counted.</summary>
    Unknown,

    /// <summary>It is nothing that has rows.</summary>
    None,
}

/// <summary>Something that a statement of a rollback destroys.</summary>
/// <param name="What">What it is: <c>table notes</c>, <c>column notes.title</c>, <c>rows of table notes</c>.</param>
/// <param name="By">The migration that destroys it; empty where none does.</param>
/// <param name="Rows">How many rows or values are lost with it.</param>
/// <param name="Accuracy">How exactly that is known.</param>
/// <param name="Reason">Why they could not be counted.</param>
internal sealed record LossItem(string What, string By, long Rows, LossAccuracy Accuracy, string? Reason = null)
{
    /// <summary>Whether the rows are values of a column.</summary>
    public bool IsValues { get; init; }
}

/// <summary>Something that a rollback puts back.</summary>
/// <param name="What">What it is: <c>rows of public.notes</c>.</param>
/// <param name="Rows">Of how many rows.</param>
/// <param name="By">The migration that is rolled back.</param>
internal sealed record KeptPutBack(string What, long Rows, string By);

/// <summary>What a rollback destroys, as far as it can be told before it runs.</summary>
/// <param name="Lost">What is lost for certain, or may be in part.</param>
/// <param name="Unclear">What can't be told, a sentence each.</param>
internal sealed record LossEstimate(IReadOnlyList<LossItem> Lost, IReadOnlyList<string> Unclear)
{
    // Whoever waits for an answer wants it before going for a coffee; more rows than these are told by the server's statistics.
    private const int MostCounted = 1_000_000;

    private static readonly TimeSpan LongestCount = TimeSpan.FromSeconds(10);

    // A lock that is free is had in this time; for a longer one somebody is told what is waited for.
    private static readonly TimeSpan ShortWait = TimeSpan.FromMilliseconds(200);

    /// <summary>What was kept of what the migrations destroyed, and will be put back.</summary>
    public IReadOnlyList<KeptPutBack> PutBack { get; private init; } = [];

    /// <summary>Whether nothing is destroyed for certain.</summary>
    public bool IsNothing => Lost.Count == 0 && Unclear.Count == 0;

    /// <summary>Reads what the sections of a plan destroy, and counts it. It never fails: what fails can't be told.</summary>
    /// <param name="database">The database that the plan is for.</param>
    /// <param name="plan">A plan to roll back.</param>
    /// <param name="options">How long it may wait for a lock, and where kept values are.</param>
    /// <param name="waiting">Is told what it waits for.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task<LossEstimate> OfAsync(
        Database database, MigrationPlan plan, MigratorOptions options, Action<string> waiting,
            CancellationToken cancellationToken = default)
    {
        IReadOnlyList<KeptGroup> kept = [];
        var downs = plan.Steps.Where(step => step.Direction == MigrationDirection.Down && !step.IsRepeatable)
            .ToDictionary(step => step.Version, step => step.Id);
        var estimate = await OfAsync(
            database,
            options.LockTimeout,
            waiting,
            async session =>
            {
                var catalog = await LossCatalog.ReadAsync(session, LossReader.NamesIn(plan.Steps), cancellationToken);
                var (targets, unclear) = LossReader.Read(plan.Steps, catalog);
                kept = await KeptRestore.ReadAsync(session, new History(options.HistorySchema), downs.Keys,
                    cancellationToken) ?? [];
                return (catalog, targets, [.. unclear.Where(one => one.Reason is not null
                    || !unclear.Any(other => other.Statement == one.Statement && other.Reason is not null)).Select(Sentence).Distinct()]);
            },
            cancellationToken);
        return estimate with
        {
            PutBack = [.. kept.Where(group => group.Conflict is null).Select(group => new KeptPutBack(group.Display, group.Count,
                downs[group.Version]))],
        };
    }

    /// <summary>Counts what is in all tables of a database that is to be dropped.</summary>
    /// <param name="database">The database.</param>
    /// <param name="options">How long it may wait for a lock, and where tables of ours are, which don't count.</param>
    /// <param name="waiting">Is told what it waits for.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static Task<LossEstimate> OfDatabaseAsync(
        Database database, MigratorOptions options, Action<string> waiting, CancellationToken cancellationToken = default) => OfAsync(
        database,
        options.LockTimeout,
        waiting,
        async session =>
        {
            var catalog = await LossCatalog.ReadAsync(session, [], cancellationToken);
            var parts = catalog.Inheritance.Select(pair => pair.Child).ToHashSet();
            var ours = catalog.Named.FirstOrDefault(named => named.Class == CatalogObject.Schema
                && named.Name == options.HistorySchema)?.Oid;
            return (catalog, [.. catalog.Relations.Where(relation => relation.Kind is 'r' or 'p' or 'm' && !parts.Contains(relation.Oid)
                && !(relation.Schema == ours && HistoryTables.Names.Contains(relation.Name)))
                .Select(relation => new LossTarget(null, null, $"table {SqlIdentifier.Quote(relation.Name)}", relation))], []);
        },
        cancellationToken);

    private static async Task<LossEstimate> OfAsync(
        Database database,
        TimeSpan lockTimeout,
        Action<string> waiting,
        Func<Session, Task<(LossCatalog Catalog, IReadOnlyList<LossTarget> Targets, IReadOnlyList<string> Unclear)>> read,
        CancellationToken cancellationToken)
    {
        try
        {
            await using var session = await Session.OpenAsync(database, "estimating what will be lost", cancellationToken);
            session.LockTimeout = lockTimeout;
            var (catalog, targets, unclear) = await read(session);
            session.StatementTimeout = LongestCount;
            var lost = new List<LossItem>();
            var patience = new Patience(lockTimeout, waiting);
            foreach (var target in targets)
            {
                if (await CountAsync(session, catalog, target, patience, cancellationToken) is { } item)
                {
                    lost.Add(item);
                }
            }

            return new LossEstimate([.. lost.Distinct()], unclear);
        }
        catch (ProblemException e) when (e.Problems[0].Kind == ProblemKind.NoDatabase)
        {
            return new LossEstimate([], []);
        }
        catch (ProblemException e)
        {
            return new LossEstimate([], [$"Can't tell what will be lost: {e.Problems[0].Message}"]);
        }
    }

    private static string Sentence(LossUnclear unclear)
    {
        var where = unclear.Statement.Location;
        return $"Can't tell what {unclear.What} at line {where.Line} does, in {where.Path}"
            + (unclear.Reason is { } reason ? $": {reason}" : "");
    }

    private static async Task<LossItem?> CountAsync(
        Session session, LossCatalog catalog, LossTarget target, Patience patience, CancellationToken cancellationToken)
    {
        if (target.Relation is not { } relation)
        {
            return new LossItem(target.What, target.Step?.Id ?? "", 0, LossAccuracy.None);
        }

        var item = new LossItem(target.What, target.Step?.Id ?? "", 0, target.AtMost ? LossAccuracy.AtMost
            : LossAccuracy.Exact) { IsValues = target.Column is not null };
        try
        {
            var schema = catalog.Named.First(named => named.Class == CatalogObject.Schema && named.Oid == relation.Schema).Name;
            var column = target.Column is { } name ? SqlIdentifier.Quote(name) : "1";
            var table = SqlIdentifier.Quote(schema, relation.Name);
            var query = $"SELECT pg_catalog.count(*), pg_catalog.count(value) FROM (SELECT {column} AS value FROM "
                + $"{(target.Only ? "ONLY " : "")}{table} LIMIT {MostCounted + 1}) counted";
            static (long, long) Row(NpgsqlDataReader row) => (row.GetInt64(0), row.GetInt64(1));
            var counted = await WaitAsync(
                session,
                async () => relation.Kind == 'm'
                    ? await OthersTables.RowsOfMaterializedViewAsync(session, query, Row, cancellationToken)
                    : await OthersTables.RowsAsync(session, table, target.Only, query, Row, cancellationToken),
                target, patience);
            if (counted is not [var (rows, values)])
            {
                return item with { Rows = relation.Rows, Accuracy = LossAccuracy.About };
            }

            return rows > MostCounted && relation.Rows <= MostCounted ? item with { Rows = MostCounted, Accuracy = LossAccuracy.MoreThan }
                : rows > MostCounted ? item with { Rows = relation.Rows, Accuracy = LossAccuracy.About }
                : values > 0 ? item with { Rows = values }
                : null;
        }
        catch (ProblemException e) when (e.InnerException
            is PostgresException { SqlState: PostgresErrorCodes.ObjectNotInPrerequisiteState })
        {
            // A materialized view that was never filled.
            return null;
        }
        catch (ProblemException e)
        {
            return item with
            {
                Accuracy = LossAccuracy.Unknown,
                Reason = e.InnerException is PostgresException { SqlState: PostgresErrorCodes.InvalidTextRepresentation }
                    ? "it is no table any more: something else has its name" : e.Problems[0].Message,
            };
        }
    }

    /// <summary>The lock timeout is for all that is counted together: one table after the other may be locked.</summary>
    private static async Task<T> WaitAsync<T>(Session session, Func<Task<T>> count, LossTarget target, Patience patience)
    {
        session.LockTimeout = patience.ForFree;
        try
        {
            return await count();
        }
        catch (ProblemException e) when (patience.Left > ShortWait
            && e.InnerException is PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable })
        {
            patience.Say(target);
            session.LockTimeout = patience.IsEndless ? TimeSpan.Zero : patience.Left;
            var clock = Stopwatch.StartNew();
            try
            {
                return await count();
            }
            finally
            {
                patience.Spend(clock.Elapsed);
            }
        }
    }

    /// <summary>How long is waited for locks, all in all; a timeout of 0 is endless.</summary>
    private sealed class Patience(TimeSpan lockTimeout, Action<string> waiting)
    {
        public bool IsEndless => lockTimeout == TimeSpan.Zero;

        public TimeSpan Left { get; private set; } = lockTimeout == TimeSpan.Zero ? TimeSpan.MaxValue : lockTimeout;

        /// <summary>A lock that is free is taken also when nothing is left. 0 would be endless.</summary>
        public TimeSpan ForFree => TimeSpan.FromMilliseconds(Math.Max(Math.Min(Left.TotalMilliseconds, ShortWait.TotalMilliseconds), 10));

        public void Say(LossTarget target) => waiting($"Waiting for a lock to count {target.What}"
            + (IsEndless ? "" : string.Create(CultureInfo.InvariantCulture, $", for {Left.TotalSeconds:0.#} s at most")));

        public void Spend(TimeSpan time) => Left = IsEndless ? Left : Left > time ? Left - time : TimeSpan.Zero;
    }
}
