using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Migrations;
using ChatGenius.Db.Replay;
using ChatGenius.Db.Schema;
using ChatGenius.Db.Sql;
using Npgsql;

namespace ChatGenius.Db.Safety;

/// <summary>Something that comes out otherwise in one order than in the other.</summary>
/// <param name="Subject">The object, or the migration where one fails.</param>
/// <param name="Message">What is otherwise.</param>
/// <param name="Files">The migrations that name the object, or the one that fails.</param>
internal sealed record MergeConflict(string Subject, string Message, IReadOnlyList<Migration> Files);

/// <summary>What the migrations of two branches do to each other.</summary>
/// <param name="Here">Those that only this side has.</param>
/// <param name="There">Those that only the other side has.</param>
/// <param name="Conflicts">Empty where the order makes no difference.</param>
/// <param name="Notes">What is worth a word and is no conflict.</param>
internal sealed record MergeCheck(
    IReadOnlyList<Migration> Here, IReadOnlyList<Migration> There, IReadOnlyList<MergeConflict> Conflicts, IReadOnlyList<string> Notes);

/// <summary>
/// Runs what two branches have added after what they share, in both orders, each on a copy with the same made-up rows, and compares the two
/// databases. What both orders make is what the merge makes, in either order.
/// </summary>
/// <param name="replayer">The server.</param>
/// <param name="other">What the other side is called.</param>
internal sealed class MergeChecker(Replayer replayer, string other)
{
    private const string OrderOfColumns = "order of columns";

    private static readonly ReplayStage MadeUpRows = new("made-up rows|1", async (replayer, database, cancellationToken) =>
    {
        var options = new TracerOptions { MakesRoles = database.IsOnOwnServer, Missing = database.Missing };
        await using var tracer = await Tracer.StartAsync(database.Database, options, cancellationToken: cancellationToken);
        await RowMaker.RunAsync(tracer, TableSizes.Unknown, cancellationToken);
    });

    /// <summary>Compares.</summary>
    /// <param name="here">All migrations of this side, and its repeatable objects.</param>
    /// <param name="there">All of the other side.</param>
    /// <param name="parted">The repeatable objects as they were where the two parted.</param>
    /// <param name="cancellationToken">Ends it; the copies are dropped.</param>
    /// <exception cref="ProblemException">CG06xx, CG07xx: no server; CG1209: a migration does not run, whatever the other side
    /// has.</exception>
    public async Task<MergeCheck> RunAsync(
        IReadOnlyList<Migration> here, IReadOnlyList<Migration> there, IReadOnlyList<Migration> parted,
        CancellationToken cancellationToken = default)
    {
        var shared = here.Where(one => !one.IsRepeatable && there.Any(two => IsSame(one, two))).ToList();
        var theirs = there.Where(two => !(two.IsRepeatable ? parted.Concat(here) : shared).Any(one => IsSame(one, two))).ToList();
        var mine = here.Where(one => !(one.IsRepeatable ? parted.Concat(there) : shared).Any(two => IsSame(one, two))).ToList();
        var edited = mine.SelectMany(one => theirs.Where(two => (two.Version, two.Name) == (one.Version, one.Name)).Select(two =>
            new MergeConflict(one.Id, $"has another text here than on {other}", [one, two]))).ToList();
        var sides = new Sides(
            shared, mine, theirs,
            [.. parted.Concat(here.Where(one => one.IsRepeatable && there.Any(two => IsSame(one, two)))).DistinctBy(one => one.Name)]);
        if (edited.Count > 0 || mine.Count == 0 || theirs.Count == 0)
        {
            return new MergeCheck(mine, theirs, edited, []);
        }

        var notes = new List<string>();
        foreach (var stages in (ReplayStage[][])[[MadeUpRows], []])
        {
            var theirsFirst = await RunAsync(sides, theirs, mine, stages, cancellationToken);
            var mineFirst = await RunAsync(sides, mine, theirs, stages, cancellationToken);
            var alone = theirsFirst.Failed is { } one && theirs.Contains(one) ? theirsFirst
                : mineFirst.Failed is { } two && mine.Contains(two) ? mineFirst : null;
            if (alone is null)
            {
                var conflicts = Failures(theirsFirst, mineFirst).ToList();
                return new MergeCheck(mine, theirs, conflicts.Count > 0 ? conflicts
                    : await DifferencesAsync(sides, theirsFirst, mineFirst, stages, notes, cancellationToken), notes);
            }

            if (stages.Length == 0)
            {
                throw Replayer.DoesNotRun(alone.Failed!, alone.Database, alone.Error!);
            }

            notes.Add($"{alone.Failed!.Id} fails on made-up rows by itself ({alone.Error}): compared without them");
        }

        throw new InvalidOperationException("Without rows it is a conflict, or no migration runs.");
    }

    private static bool IsSame(Migration one, Migration two) =>
        one.Name == two.Name && one.IsRepeatable == two.IsRepeatable && two.Up.IsSameAs(one.Up);

    private IEnumerable<MergeConflict> Failures(Outcome theirsFirst, Outcome mineFirst)
    {
        if (theirsFirst.Failed is { } mine)
        {
            yield return new(mine.Id, $"fails after those of {other}: {theirsFirst.Error}", [mine]);
        }

        if (mineFirst.Failed is { } theirs)
        {
            yield return new(theirs.Id, $"of {other} fails after those here: {mineFirst.Error}", [theirs]);
        }
    }

    private async Task<IReadOnlyList<MergeConflict>> DifferencesAsync(
        Sides sides, Outcome theirsFirst, Outcome mineFirst, ReplayStage[] stages, List<string> notes, CancellationToken cancellationToken)
    {
        var conflicts = new List<MergeConflict>();
        foreach (var one in SchemaDiff.Between(mineFirst.Schema!, theirsFirst.Schema!).Where(one => !one.IsOfPlatform))
        {
            if (one.Fact == OrderOfColumns)
            {
                notes.Add($"The order of the columns of {one.ObjectName} differs, which matters to INSERT without names and to SELECT *");
                continue;
            }

            var text = one.Change switch
            {
                SchemaChange.Added => $"is there only with those of {other} first",
                SchemaChange.Removed => "is there only with those here first",
                _ => $"with those here first: {Short(one.Before)}; with those of {other} first: {Short(one.After)}",
            };
            conflicts.Add(new($"{one.ObjectKind} {one.ObjectName}{(one.Fact is null ? "" : $", {one.Fact}")}", text,
                sides.Naming(one.ObjectName, one.Fact)));
        }

        var columns = theirsFirst.Rows!.Keys.Where(mineFirst.Rows!.ContainsKey)
            .Where(column => theirsFirst.Rows[column] != mineFirst.Rows[column]).ToList();
        if (columns.Count > 0)
        {
            // What one and the same order makes differently each time (a clock, a random number), or fails to make, says nothing of orders.
            var again = await RunAsync(sides, sides.Theirs, sides.Mine, stages, cancellationToken);
            var byChance = columns.Where(column => again.Rows?.GetValueOrDefault(column) != theirsFirst.Rows[column]).ToList();
            notes.AddRange(byChance.Select(column => $"{column.Table}, {column.Column} differs from run to run, and is not compared"));
            conflicts.AddRange(columns.Except(byChance).Select(column => new MergeConflict(
                $"rows of {column.Table}, {column.Column}", "hold other values in one order than in the other",
                sides.Naming(column.Table, column.Column))));
        }

        return conflicts;
    }

    private static string Short(string? text) => text is null ? "nothing" : text.Split('\n') is [var line] ? line : "another definition";

    /// <summary>As on a database that has one side and then gets the other: its repeatable objects are there when the other's migrations
    /// run, and those that differ are replaced at the end.</summary>
    private async Task<Outcome> RunAsync(
        Sides sides, IReadOnlyList<Migration> first, IReadOnlyList<Migration> second, ReplayStage[] stages,
        CancellationToken cancellationToken)
    {
        await using var database = await replayer.OpenStagedAsync(sides.Shared, stages, cancellationToken);
        var repeatables = new RepeatableReplay(replayer, database);
        IReadOnlyList<Migration>[] rounds = [sides.Repeatables, first, second];
        IReadOnlyList<Migration> texts = [];
        foreach (var round in rounds)
        {
            texts = [.. texts.Concat(round.Where(file => file.IsRepeatable)).Reverse().DistinctBy(file => file.Name)
                .OrderBy(file => file.Name, StringComparer.Ordinal)];
            if (await replayer.FailedAsync(database, round, cancellationToken) is { } stop)
            {
                return new Outcome(database.Database, stop.Failed, $"{stop.Error.MessageText} ({stop.Error.SqlState})", null, null);
            }

            if (texts.Count > 0 && await repeatables.RunAsync(texts, cancellationToken) is { } failure)
            {
                return new Outcome(database.Database, failure.File, string.Join("; ", failure.Lines), null, null);
            }
        }

        await (texts.Count > 0 ? repeatables.ForgetAsync(cancellationToken) : Task.CompletedTask);
        var (schema, _) = await SchemaReader.ReadAsync(database.Database, new SchemaReadOptions(), cancellationToken);
        return new Outcome(database.Database, null, null, schema, await ReadRowsAsync(database.Database, cancellationToken));
    }

    /// <summary>A digest of each column of each table, of all its values with the keys of their rows.</summary>
    private static async Task<Dictionary<(string Table, string Column), string>> ReadRowsAsync(
        Database database, CancellationToken cancellationToken)
    {
        await using var session = await Session.OpenAsync(database, "comparing the rows of two copies", cancellationToken);
        var tables = await session.RowsAsync(
            """
            SELECT n.nspname::text, c.relname::text,
                pg_catalog.array_agg(a.attname::text ORDER BY a.attname),
                coalesce((SELECT pg_catalog.array_agg(k.attname::text ORDER BY k.attname) FROM pg_catalog.pg_index i
                    JOIN pg_catalog.pg_attribute k ON k.attrelid = c.oid AND k.attnum = ANY (i.indkey::int2[])
                    WHERE i.indrelid = c.oid AND i.indisprimary), '{}')
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                    AND d.objid = c.oid AND d.deptype = 'e')
            GROUP BY c.oid, n.nspname, c.relname
            """,
            row => (Name: SqlIdentifier.Quote(row.GetString(0), row.GetString(1)), Columns: row.GetFieldValue<string[]>(2),
                Key: row.GetFieldValue<string[]>(3)),
            cancellationToken);
        var digests = new Dictionary<(string, string), string>();
        foreach (var (name, columns, key) in tables)
        {
            var keys = string.Concat(key.Select(column => $"{SqlIdentifier.Quote(column)}::text, "));
            var values = columns.Select(column =>
                $"pg_catalog.format('{string.Concat(key.Select(_ => "%L,"))}%L', {keys}{SqlIdentifier.Quote(column)}::text)").ToList();
            var digest = await session.RowsAsync(
                $"SELECT ARRAY[{string.Join(", ", values.Select((_, i) =>
                    $"pg_catalog.md5(coalesce(pg_catalog.string_agg(v{i}, E'\\n' ORDER BY v{i} COLLATE \"C\"), ''))"))}] FROM (SELECT "
                + $"{string.Join(", ", values.Select((value, i) => $"{value} AS v{i}"))} FROM {name}) AS the_rows",
                row => row.GetFieldValue<string[]>(0),
                cancellationToken);
            for (var i = 0; i < columns.Length; i++)
            {
                digests[(name, columns[i])] = digest[0][i];
            }
        }

        return digests;
    }

    /// <summary>What one order has made, or where it stopped.</summary>
    private sealed record Outcome(
        Database Database, Migration? Failed, string? Error, SchemaSnapshot? Schema,
        IReadOnlyDictionary<(string Table, string Column), string>? Rows);

    /// <summary>The migrations that both have and that each has alone, and the repeatable objects as they were for both.</summary>
    private sealed record Sides(
        IReadOnlyList<Migration> Shared, IReadOnlyList<Migration> Mine, IReadOnlyList<Migration> Theirs,
        IReadOnlyList<Migration> Repeatables)
    {
        /// <summary>The migrations that name an object, of both sides; those that name its part as well, where any does.</summary>
        public List<Migration> Naming(string name, string? part)
        {
            var word = Last(name);
            var of = Mine.Concat(Theirs).Where(file => Names(file, word)).ToList();
            var closer = part is null ? [] : of.Where(file => Names(file, Last(part))).ToList();
            return closer.Count > 0 ? closer : of.Count > 0 ? of : [.. Mine, .. Theirs];
        }

        /// <summary>The last word of <c>public.users</c>, <c>column email</c>, <c>public.total(integer)</c>, without quotes.</summary>
        private static string Last(string name) => name.Split('(')[0].Split('.', ' ')[^1].Trim('"');

        private static bool Names(Migration file, string word) =>
            file.Up.Script.Statements.Any(statement => new StatementText(statement).Mentions(word));
    }
}
