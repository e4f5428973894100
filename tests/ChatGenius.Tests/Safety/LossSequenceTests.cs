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
        var wish = (Environment.GetEnvironmentVariable("CHATGENIUS_TEST_LOSS_SEQUENCES") ?? "12:2026").Split(':');
        var (count, seed) = (int.Parse(wish[0], CultureInfo.InvariantCulture), wish.Length > 1
            ? ulong.Parse(wish[1], CultureInfo.InvariantCulture) : 2026);
        var sequences = Gen.Choose(0, 1 << 28).ArrayOf(24).Sample(count, new Rnd(seed, 1), 24).ToList();
        var clear = 0;
        var lost = 0;
        await Parallel.ForEachAsync(sequences, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (choices, _) =>
        {
            var (cleanly, columns) = await RunAsync(choices);
            Interlocked.Add(ref clear, cleanly);
            Interlocked.Add(ref lost, columns);
        });

        output.WriteLine(
            $"{sequences.Count} sequences from seed {seed}: {clear} rollbacks that could be told in full, {lost} columns lost");
        clear.ShouldBePositive();
        lost.ShouldBePositive();
    }

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
            var files = Directory.GetFiles(folder.Path).Order().Select(file => $"== {Path.GetFileName(file)}\n{File.ReadAllText(file)}");
            throw new InvalidOperationException($"{e.Message}\n{string.Join("\n", files)}", e);
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

                var options = Choose(5) == 0 ? " transaction:false" : "";
                folder.Write(version, "m", string.Join("\n", up), string.Join("\n", down), downOptions: options);
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
                _ => ("text", Choose(2) == 0 ? "varchar(2) USING left({0}, 2)" : old.Type),
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
            var table = new Table(parent.Schema, NewName("k")) { Columns = { new Column("a", "integer") } };
            _tables.Add(table);
            var action = Choose(2) == 0 ? "CASCADE" : "SET NULL";
            return (table.Definition + table.Rows(1)
                + $"ALTER TABLE {table.Sql} ADD COLUMN up integer REFERENCES {parent.Sql} (id) ON DELETE {action};\n"
                + $"UPDATE {table.Sql} SET up = 1 WHERE EXISTS (SELECT FROM {parent.Sql} WHERE id = 1);",
                $"DROP TABLE {table.Sql};");
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
