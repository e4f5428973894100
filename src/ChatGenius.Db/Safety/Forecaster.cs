using System.Globalization;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Migrations;
using ChatGenius.Db.Replay;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Safety;

/// <summary>A table's name.</summary>
internal readonly record struct TableName(string Schema, string Name)
{
    /// <summary>As a message says it.</summary>
    public string Display => Names.Qualified(Schema, Name);

    public static TableName Of(Relation relation) => new(relation.Schema, relation.Name);
}

/// <summary>
/// Rehearses migrations on a throw-away database, twice, with a few and with many made-up rows, and says from how time and files grow with
/// the rows what they will cost with as many as there are where they will run.
/// </summary>
/// <param name="replayer">Makes the database.</param>
/// <param name="sizes">The tables where they will run.</param>
/// <param name="earlier">What earlier runs there say.</param>
internal sealed class Forecaster(Replayer replayer, TableSizes sizes, EarlierRuns earlier)
{
    /// <summary>Enough for what a statement takes with hardly any rows.</summary>
    private const int Few = 1_000;

    /// <summary>Made in a moment, and enough to tell the rows' time from the rest.</summary>
    private const int Many = 30_000;

    /// <summary>Forecasts each migration.</summary>
    /// <param name="migrations">All there are, in order.</param>
    /// <param name="steps">Those that will run, in order.</param>
    /// <param name="cancellationToken">Ends it; the databases are dropped all the same.</param>
    /// <exception cref="ProblemException">As <see cref="Checker.RunAsync"/>.</exception>
    public async Task<IReadOnlyList<StepForecast>> RunAsync(
        IReadOnlyList<Migration> migrations, IReadOnlyList<MigrationStep> steps, CancellationToken cancellationToken = default)
    {
        List<Constraint> added = [];
        var few = await RehearseAsync(migrations, steps, TableSizes.Unknown, Few, added, cancellationToken);
        if (few.Exists(one => one.Facts.Trace.Statements.Any(one.Facts.Trace.FailedOnMadeUpRows)))
        {
            // Without rows they run, and say what the rows have to keep to.
            added = Added(await RehearseAsync(migrations, steps, TableSizes.Unknown, 0, added, cancellationToken));
            few = await RehearseAsync(migrations, steps, TableSizes.Unknown, Few, added, cancellationToken);
        }

        var worked = few.SelectMany(rehearsal => rehearsal.Facts.Statements.SelectMany(Worked)).Distinct().ToList();
        var large = worked.Where(table => sizes[table.Schema, table.Name] is { Rows: > Few })
            .ToDictionary(table => (table.Schema, table.Name), table => sizes[table.Schema, table.Name]!.Value);
        var many = large.Count == 0 ? few
            : await RehearseAsync(migrations, steps, TableSizes.From(large), Many, added, cancellationToken);
        return
        [
            .. steps.Select(step => few.FindIndex(one => one.Facts.Migration == step.Migration) is >= 0 and var at
                && step.Direction == MigrationDirection.Up && at < many.Count
                ? new StepCost(step, few[at], many[at], sizes, earlier).Forecast()
                : new StepForecast(step) { Unknown = ["it could not be rehearsed: one before it fails, or it is a rollback"] }),
        ];
    }

    /// <summary>The topmost tables that were there before the migration and whose rows the statement goes through.</summary>
    internal static IEnumerable<TableName> Worked(StatementFacts s)
    {
        var tables = s.Trace.Activity.Where(pair => pair.Value is var a && a.TuplesRead + a.Updated + a.Deleted + a.IndexScans > 0)
            .Select(pair => pair.Key)
            .Concat(s.Refiled.Select(table => table.Oid))
            .Concat(s.BuiltIndexes.Concat(s.ReindexedIndexes).Select(built => built.Table.Oid))
            .Concat(!s.Trace.RanAlone ? [] : s.Before.Relations.Values
                .Where(relation => relation.HoldsRows && s.Text.Mentions(relation.Name)).Select(relation => relation.Oid));
        return tables.Where(s.Migration.WasThere).Select(table => s.Migration.Before.Find(s.Migration.Before.Root(table))!)
            .Where(table => table.Kind is 'r' or 'p' or 'm').Select(TableName.Of).Distinct();
    }

    /// <summary>The constraints that the migrations add to columns that were there before the first. Copies of one database have the same
    /// numbers.</summary>
    private static List<Constraint> Added(List<Rehearsal> rehearsals)
    {
        var (before, after) = (rehearsals[0].Facts.Before, rehearsals[^1].Facts.After);
        return
        [
            .. after.Constraints.Values.Where(one => one.Kind is 'f' or 'c' && !before.Constraints.ContainsKey(one.Oid)
                && one.Keys.All(key => before.FindColumn(one.Table, key) is not null)
                && one.ReferencedKeys.All(key => before.FindColumn(one.ReferencedTable, key) is not null)),
        ];
    }

    private async Task<List<Rehearsal>> RehearseAsync(
        IReadOnlyList<Migration> migrations, IReadOnlyList<MigrationStep> steps, TableSizes wanted, int most,
        List<Constraint> added, CancellationToken cancellationToken)
    {
        var chosen = steps.Where(step => step.Direction == MigrationDirection.Up).Select(step => step.File).ToList();
        var start = migrations.TakeWhile(migration => !chosen.Contains(migration)).ToList();
        await using var database = await replayer.OpenAsync(start, later: migrations, cancellationToken);
        var options = new TracerOptions
        {
            LockTimeout = replayer.Options.LockTimeout, TimeZone = replayer.Options.TimeZone, MakesRoles = database.IsOnOwnServer,
            Missing = database.Missing,
        };
        await using var tracer = await Tracer.StartAsync(database.Database, options, cancellationToken: cancellationToken);
        try
        {
            IReadOnlyList<MadeRows> made = most == 0 ? [] : await RowMaker.RunAsync(tracer, wanted, most, added, cancellationToken);
            var rows = made.GroupBy(table => TableName.Of(tracer.Catalog.Find(tracer.Catalog.Root(table.Table.Oid))!))
                .ToDictionary(group => group.Key, group => group.Sum(table => table.Rows));
            var rehearsals = new List<Rehearsal>();
            var before = await ReadFilesAsync(tracer, cancellationToken);
            foreach (var migration in chosen)
            {
                var trace = await tracer.TraceAsync(migration.Up, cancellationToken);
                var after = await ReadFilesAsync(tracer, cancellationToken);
                rehearsals.Add(new Rehearsal(new MigrationFacts(migration, trace, sizes), rows, before, after));
                before = after;
                if (!trace.Completed)
                {
                    break;
                }
            }

            return rehearsals;
        }
        catch (NpgsqlException e) when (e is not PostgresException && !cancellationToken.IsCancellationRequested)
        {
            throw Replayer.Lost(e);
        }
    }

    /// <summary>The files of tables, their indexes and their TOAST, by oid, with the table each belongs to.</summary>
    private static async Task<IReadOnlyDictionary<uint, RelationFile>> ReadFilesAsync(Tracer tracer, CancellationToken cancellationToken)
    {
        const string Query =
            """
            SELECT c.oid, pg_relation_filenode(c.oid), coalesce(o.oid, i.indrelid, c.oid), pg_relation_size(c.oid)
            FROM pg_catalog.pg_class c
            LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
            LEFT JOIN pg_catalog.pg_class o ON o.reltoastrelid = coalesce(i.indrelid, c.oid)
            WHERE c.relkind IN ('r', 'm', 'i', 't') AND c.oid >= 16384
            """;
        var files = await tracer.ReadAsync((session, token) => session.RowsAsync(
            Query, row => (Oid: row.GetFieldValue<uint>(0), File: new RelationFile(
                row.GetFieldValue<uint>(1), row.GetFieldValue<uint>(2), row.GetInt64(3))), token), cancellationToken);
        return files.ToDictionary(file => file.Oid, file => file.File);
    }

    /// <summary>A file of the throw-away database.</summary>
    internal readonly record struct RelationFile(uint Node, uint Table, long Bytes);

    /// <summary>One run of a migration on the throw-away database.</summary>
    /// <param name="Facts">What it did.</param>
    /// <param name="Rows">How many rows were made up, by table.</param>
    /// <param name="Before">The files before it.</param>
    /// <param name="After">Those after it.</param>
    internal sealed record Rehearsal(
        MigrationFacts Facts, IReadOnlyDictionary<TableName, long> Rows, IReadOnlyDictionary<uint, RelationFile> Before,
        IReadOnlyDictionary<uint, RelationFile> After)
    {
        /// <summary>How many rows were made up for the largest of some tables.</summary>
        internal long RowsOf(IEnumerable<TableName> tables) =>
            tables.Select(table => Rows.GetValueOrDefault(table)).DefaultIfEmpty(0).Max();

        /// <summary>The bytes of a table with indexes and TOAST before the migration.</summary>
        internal long BytesOf(TableName table) =>
            Before.Values.Where(file => TableOf(Facts, file.Table) == table).Sum(file => file.Bytes);

        /// <summary>The bytes that were written into files, by topmost table; without a name for tables that the migration makes.</summary>
        internal Dictionary<TableName, long> Written { get; } = After
            .Select(pair => (Table: TableOf(Facts, pair.Value.Table), Bytes: Before.TryGetValue(pair.Key, out var old)
                && old.Node == pair.Value.Node ? Math.Max(0, pair.Value.Bytes - old.Bytes) : pair.Value.Bytes))
            .GroupBy(file => file.Table).ToDictionary(group => group.Key, group => group.Sum(file => file.Bytes));

        private static TableName TableOf(MigrationFacts facts, uint oid) =>
            facts.Before.Find(facts.Before.Root(oid)) is { } table ? TableName.Of(table) : default;
    }
}
