using FsCheck;
using FsCheck.Fluent;

namespace ChatGenius.Tests.Safety;

/// <summary>
/// Random sequences of migrations, with rows. A rollback to every point works, and what is lost was said to be.
/// <c>CHATGENIUS_TEST_LOSS_SEQUENCES</c>
/// says how many, and with <c>:</c> from which seed.
/// </summary>
public class LossSequenceTests(ITestOutputHelper output)
{
    [Fact]
    public async Task What_random_rollbacks_destroy_was_said_before()
    {
        var (clear, lost) = await EachAsync("12:2026", RunAsync, "rollbacks that could be told in full, {1} columns lost");

        clear.ShouldBePositive();
        lost.ShouldBePositive();
    }

    [Fact]
    public async Task What_random_migrations_destroy_and_keep_is_there_again_after_a_rollback()
    {
        var (compared, kept) = await EachAsync("8:2026", KeepAsync, "rollbacks compared, {1} columns whose values had gone");

        compared.ShouldBePositive();
        kept.ShouldBePositive();
    }

    private async Task<(int First, int Second)> EachAsync(string usual, Func<int[], Task<(int, int)>> run, string said)
    {
        var wish = (Environment.GetEnvironmentVariable("CHATGENIUS_TEST_LOSS_SEQUENCES") ?? usual).Split(':');
        var (count, seed) = (int.Parse(wish[0], CultureInfo.InvariantCulture), wish.Length > 1
            ? ulong.Parse(wish[1], CultureInfo.InvariantCulture) : 2026);
        var sequences = Gen.Choose(0, 1 << 28).ArrayOf(24).Sample(count, new Rnd(seed, 1), 24).ToList();
        var (first, second) = (0, 0);
        await Parallel.ForEachAsync(sequences, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (choices, _) =>
        {
            var (one, other) = await run(choices);
            Interlocked.Add(ref first, one);
            Interlocked.Add(ref second, other);
        });

        output.WriteLine($"{sequences.Count} sequences from seed {seed}: {first} "
            + said.Replace("{1}", second.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
        return (first, second);
    }

    /// <summary>Applies migrations with keep:true one by one, and undoes them one by one: each time all values are there that were there
    /// before.</summary>
    private static async Task<(int Compared, int Kept)> KeepAsync(int[] choices)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder();
        var all = new Author(choices) { Keeps = true }.Write(folder);
        var (compared, kept) = (0, 0);
        try
        {
            await using var connection = await database.ConnectAsync();
            var before = new List<Dictionary<string, List<string>>> { await ValuesAsync(connection) };
            for (var version = 1; version <= all; version++)
            {
                try
                {
                    await folder.ApplyAsync(database, request: Folder.Anywhere with { To = version });
                }
                catch (ProblemException e) when (e.Problems.All(problem => problem.Code == "CG0534"))
                {
                    break;
                }

                before.Add(await ValuesAsync(connection));
            }

            for (var version = before.Count - 1; version > 0; version--)
            {
                kept += before[version - 1].Count(column => !Holds(before[version], column));
                if (choices[version] % 2 == 0)
                {
                    await folder.Migrator(database).RedoAsync(new RedoRequest());
                    var again = await ValuesAsync(connection);
                    before[version].Where(column => !Holds(again, column)).Select(column => column.Key)
                        .ShouldBeEmpty($"after a redo of {version}");
                }

                await folder.RollbackAsync(database, new RollbackRequest(To: version - 1));
                var now = await ValuesAsync(connection);
                before[version - 1].Where(column => !Holds(now, column)).Select(column => column.Key)
                    .ShouldBeEmpty($"after the rollback of {version}");
                compared++;
            }

            (await database.ScalarAsync<long>("SELECT count(*) FROM chatgenius_db.kept")).ShouldBe(0);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{e.Message}\n{Texts(folder)}", e);
        }

        return (compared, kept);

        static bool Holds(Dictionary<string, List<string>> some, KeyValuePair<string, List<string>> column)
        {
            var left = some.GetValueOrDefault(column.Key)?.ToList() ?? [];
            return column.Value.All(left.Remove);
        }
    }

    /// <summary>All values by table and column, each with the key of its row.</summary>
    private static async Task<Dictionary<string, List<string>>> ValuesAsync(NpgsqlConnection connection)
    {
        var values = new Dictionary<string, List<string>>();
        await using var command = new NpgsqlCommand(
            """
            SELECT format('%I.%I.%s', n.nspname, c.relname, e.key), x.row ->> 'id', e.value
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL query_to_xml(
                format('SELECT to_jsonb(t) AS r FROM %I.%I t', n.nspname, c.relname), true, false, '') q (x)
            CROSS JOIN LATERAL unnest(xpath('//r/text()', q.x)) u (r) CROSS JOIN LATERAL (SELECT
                replace(replace(replace(u.r::text, '&lt;', '<'), '&gt;', '>'), '&amp;', '&')::jsonb) x (row)
            CROSS JOIN LATERAL jsonb_each_text(x.row) e
            WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'chatgenius_db')
                AND e.value IS NOT NULL
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var column = reader.GetString(0);
            (values.TryGetValue(column, out var some) ? some : values[column] = []).Add($"{reader.GetString(1)}: {reader.GetString(2)}");
        }

        return values;
    }

    private static string Texts(Folder folder) => string.Join(
        "\n", Directory.GetFiles(folder.Path).Order().Select(file => $"== {Path.GetFileName(file)}\n{File.ReadAllText(file)}"));

    private static async Task<(int Clear, int Lost)> RunAsync(int[] choices)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder();
        var author = new Author(choices);
        var all = author.Write(folder);
        var (clear, lost) = (0, 0);
        try
        {
            await folder.ApplyAsync(database);
            await database.ExecuteAsync(author.MoreRows());
            for (var version = all; version > 0;)
            {
                var request = new RollbackRequest(To: author.Next(version));
                var plan = await folder.Migrator(database).PlanRollbackAsync(request);
                var (catalog, targets, unclear) = await StoredData.ForecastAsync(database, plan.Steps);
                await using var connection = await database.ConnectAsync();
                var before = await StoredData.ReadAsync(connection);
                await folder.RollbackAsync(database, request);
                var gone = before.LostIn(await StoredData.ReadAsync(connection));
                lost += gone.Count;
                if (unclear.Count == 0)
                {
                    before.Unsaid(gone, targets, catalog).ShouldBeEmpty();
                    clear++;
                }

                version = (int)request.To!.Value;
            }
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{e.Message}\n{Texts(folder)}", e);
        }

        return (clear, lost);
    }

    /// <summary>Writes migrations that go together, and downs that undo them; choices decide.</summary>
    private sealed class Author(int[] choices)
    {
        private readonly List<Table> _tables = [];
        private readonly List<string> _schemas = ["public"];
        private int _next;
        private int _names;

        /// <summary>Whether the ups keep what they destroy, and the downs destroy nothing that was there before.</summary>
        public bool Keeps { get; init; }

        private int Choose(int below) => (choices[_next++ % choices.Length] >> (_next / choices.Length % 16)) % below;

        private string NewName(string kind) => $"{kind}{++_names}{(_names % 5 == 0 ? " X" : "")}";

        public long Next(int version) => Choose(version);

        public int Write(Folder folder)
        {
            var count = 3 + Choose(6);
            for (var version = 1; version <= count; version++)
            {
                var (up, down) = (new List<string>(), new List<string>());
                for (var i = 1 + Choose(3); i > 0; i--)
                {
                    var (does, undoes) = Change();
                    up.Add(does);
                    down.Insert(0, undoes);
                }

                var options = Choose(5) == 0 && !Keeps ? " transaction:false" : "";
                folder.Write(version, "m", string.Join("\n", up), string.Join("\n", down), Keeps ? " keep:true" : "", options);
            }

            return count;
        }

        /// <summary>What users write afterwards.</summary>
        public string MoreRows() => string.Concat(_tables.Select(table => table.Rows(10)));

        private (string Up, string Down) Change()
        {
            var table = _tables.Count > 0 ? _tables[Choose(_tables.Count)] : null;
            return table is null ? Create() : Choose(20) switch
            {
                0 or 1 or 2 => Create(),
                3 or 4 => AddColumn(table),
                5 or 6 => RenameTable(table),
                7 or 8 => RenameColumn(table),
                9 => Move(table),
                10 => DropColumn(table),
                11 => DropTable(table),
                12 or 13 => ChangeType(table),
                14 => CreateSchema(),
                15 => CreateChild(table),
                16 or 17 or 18 when Keeps => Destroy(table),
                16 => (table.Rows(20), $"DELETE FROM {table.Sql} WHERE id > 20;"),
                17 => (table.Rows(30), Choose(2) == 0 ? $"DELETE FROM {table.Sql};"
                    : $"UPDATE {table.Sql} SET {table.Columns[^1].Sql} = DEFAULT;"),
                18 => InBlock(table),
                _ => Swap(table),
            };
        }

        private (string Up, string Down) Create()
        {
            var table = new Table(_schemas[Choose(_schemas.Count)],
                NewName("t")) { Columns = { new Column("a", "integer"), new Column("b", "text") } };
            _tables.Add(table);
            var down = (Choose(4), table.Schema) switch
            {
                (0, _) => $"DROP TABLE IF EXISTS {table.Sql};",
                (1, "public") => $"SET search_path = {Quote(table.Schema)};\nDROP TABLE {Quote(table.Name)};\nRESET search_path;",
                (2, _) => $"DROP TABLE {table.Sql} CASCADE;",
                _ => $"DROP TABLE {table.Sql};",
            };
            return (table.Definition + table.Rows(1), down);
        }

        private (string Up, string Down) AddColumn(Table table)
        {
            var column = new Column(NewName("c"), Choose(2) == 0 ? "integer" : "text");
            table.Columns.Add(column);
            return (
                $"ALTER TABLE {table.Sql} ADD COLUMN {column.Sql} {column.Type};\nUPDATE {table.Sql} SET {column.Sql} = {column.Value(5)};",
                $"ALTER TABLE {table.Sql} DROP COLUMN {(Choose(2) == 0 ? "IF EXISTS " : "")}{column.Sql};");
        }

        private (string Up, string Down) RenameTable(Table table)
        {
            var (old, name) = (table.Sql, NewName("r"));
            var back = Quote(table.Name);
            table.Name = name;
            return ($"ALTER TABLE {old} RENAME TO {Quote(name)};", $"ALTER TABLE {table.Sql} RENAME TO {back};");
        }

        private (string Up, string Down) RenameColumn(Table table)
        {
            var i = Choose(table.Columns.Count);
            var old = table.Columns[i];
            table.Columns[i] = old with { Name = NewName("n") };
            return ($"ALTER TABLE {table.Sql} RENAME COLUMN {old.Sql} TO {table.Columns[i].Sql};",
                $"ALTER TABLE {table.Sql} RENAME {table.Columns[i].Sql} TO {old.Sql};");
        }

        private (string Up, string Down) Move(Table table)
        {
            var (old, from) = (table.Sql, table.Schema);
            table.Schema = _schemas[Choose(_schemas.Count)];
            return ($"ALTER TABLE {old} SET SCHEMA {Quote(table.Schema)};", $"ALTER TABLE {table.Sql} SET SCHEMA {Quote(from)};");
        }

        private (string Up, string Down) DropColumn(Table table)
        {
            if (table.Columns.Count < 2)
            {
                return AddColumn(table);
            }

            var column = table.Columns[0];
            table.Columns.RemoveAt(0);
            return ($"ALTER TABLE {table.Sql} DROP COLUMN {column.Sql};",
                $"ALTER TABLE {table.Sql} ADD COLUMN {column.Sql} {column.Type};");
        }

        private (string Up, string Down) DropTable(Table table)
        {
            if (table.IsReferenced || _tables.Count < 2)
            {
                return AddColumn(table);
            }

            _tables.Remove(table);
            return ($"DROP TABLE {table.Sql};", table.Definition);
        }

        private (string Up, string Down) ChangeType(Table table)
        {
            var i = Choose(table.Columns.Count);
            var old = table.Columns[i];
            var (type, back) = old.Type switch
            {
                "integer" => Choose(2) == 0 ? ("bigint", "integer") : ("text", $"integer USING {old.Sql}::integer"),
                "bigint" => ("numeric", "bigint"),
                "numeric" => ("text", $"numeric USING {old.Sql}::numeric"),
                _ => ("text", Choose(2) == 0 && !Keeps ? "varchar(2) USING left({0}, 2)" : old.Type),
            };
            table.Columns[i] = old with { Type = type };
            return ($"ALTER TABLE {table.Sql} ALTER COLUMN {old.Sql} TYPE {type};",
                $"ALTER TABLE {table.Sql} ALTER COLUMN {old.Sql} TYPE {back.Replace("{0}", old.Sql, StringComparison.Ordinal)};");
        }

        private (string Up, string Down) CreateSchema()
        {
            var schema = NewName("s");
            _schemas.Add(schema);
            var table = new Table(schema, NewName("t")) { Columns = { new Column("a", "integer") } };
            _tables.Add(table);
            return ($"CREATE SCHEMA {Quote(schema)};\n{table.Definition}{table.Rows(1)}", $"DROP SCHEMA {Quote(schema)} CASCADE;");
        }

        private (string Up, string Down) CreateChild(Table parent)
        {
            parent.IsReferenced = true;
            // A down that makes it again would leave its reference out, and what is kept of it could not go back.
            var table = new Table(parent.Schema, NewName("k")) { Columns = { new Column("a", "integer") }, IsReferenced = Keeps };
            _tables.Add(table);
            var action = Choose(2) == 0 ? "CASCADE" : "SET NULL";
            return (table.Definition + table.Rows(1)
                + $"ALTER TABLE {table.Sql} ADD COLUMN up integer REFERENCES {parent.Sql} (id) ON DELETE {action};\n"
                + $"UPDATE {table.Sql} SET up = 1 WHERE EXISTS (SELECT FROM {parent.Sql} WHERE id = 1);",
                $"DROP TABLE {table.Sql};");
        }

        private (string Up, string Down) Destroy(Table table)
        {
            var column = table.Columns[^1];
            var down = Choose(2) == 0 ? "SELECT 1;" : $"UPDATE {table.Sql} SET {column.Sql} = {column.Value(8)};";
            return Choose(5) switch
            {
                0 => ($"DELETE FROM {table.Sql} WHERE id % 2 = 0;", "SELECT 1;"),
                1 => ($"UPDATE {table.Sql} SET {column.Sql} = {column.Value(9)} WHERE id > 1;", "SELECT 1;"),
                2 => ($"UPDATE {table.Sql} SET {column.Sql} = {column.Value(9)};", down),
                3 => ($"DELETE FROM ONLY {table.Sql} AS gone;", down),
                _ => ($"TRUNCATE {table.Sql} CASCADE;", "SELECT 1;"),
            };
        }

        private (string Up, string Down) InBlock(Table table)
        {
            var (up, down) = AddColumn(table);
            return (up, $"DO $do$ BEGIN {down} END $do$;");
        }

        /// <summary>Two tables change names.</summary>
        private (string Up, string Down) Swap(Table table)
        {
            if (_tables.Find(other => other != table && other.Schema == table.Schema) is not { } other)
            {
                return RenameTable(table);
            }

            var (first, second) = (Quote(table.Name), Quote(other.Name));
            var swap = $"ALTER TABLE {table.Sql} RENAME TO tmp;\nALTER TABLE {other.Sql} RENAME TO {first};\n"
                + $"ALTER TABLE {Quote(table.Schema)}.tmp RENAME TO {second};";
            (table.Name, other.Name) = (other.Name, table.Name);
            return (swap, swap);
        }
    }

    private static string Quote(string name) => Db.Sql.SqlIdentifier.Quote(name);

    private sealed record Column(string Name, string Type)
    {
        public string Sql => Quote(Name);

        public string Value(int row) => Type is "text" ? $"'{row}23'" : row.ToString(CultureInfo.InvariantCulture);
    }

    private sealed class Table(string schema, string name)
    {
        public string Schema { get; set; } = schema;

        public string Name { get; set; } = name;

        public bool IsReferenced { get; set; }

        public List<Column> Columns { get; } = [];

        public string Sql => $"{Quote(Schema)}.{Quote(Name)}";

        public string Definition =>
            $"CREATE TABLE {Sql} (id integer PRIMARY KEY{Each(column => $"{column.Sql} {column.Type}")});\n";

        public string Rows(int from) => string.Concat(Enumerable.Range(from, 3).Select(row =>
            $"INSERT INTO {Sql} (id{Each(column => column.Sql)}) VALUES "
            + $"({row}{Each(column => column.Value(row))}) ON CONFLICT DO NOTHING;\n"));

        private string Each(Func<Column, string> text) => string.Concat(Columns.Select(column => ", " + text(column)));
    }
}
