namespace ChatGenius.Tests.Migrations;

/// <summary>What a section with keep:true destroys is kept, and a rollback puts it back.</summary>
public class KeptValuesTests
{
    private const string Keep = " keep:true";

    /// <summary>Types of every kind, each with values that a careless text would lose.</summary>
    private static readonly (string Type, string[] Values)[] Types =
    [
        ("text", ["''", "'NULL'", "E'line\\n\\\\ \"quote\" ''x'' {},()'"]), ("int", ["-2147483648", "7"]), ("bool", ["true", "false"]),
        ("numeric", ["'NaN'", "1.50", "1e-200", "12345678901234567890.000"]), ("numeric(8,2)", ["1.5", "-0.01"]),
        ("float8", ["0.1::float8 + 0.2", "'-Infinity'", "4.9406564584124654e-324", "'NaN'", "'-0'", "1.7976931348623157e308"]),
        ("float4", ["1e-45", "0.1", "'Infinity'"]), ("timestamptz", ["'2026-01-02 03:04:05.678901+02'", "'-infinity'", "'0044-03-15 BC'"]),
        ("timestamp", ["'1999-12-31 23:59:59.999999'", "'infinity'"]), ("date", ["'infinity'", "'0044-03-15 BC'", "'2026-02-01'"]),
        ("time", ["'24:00'"]), ("timetz", ["'10:00:00.000001+05:30'"]), ("interval", ["'1 mon -2 days 03:04:05.000001'",
            "'-1 year 2 days'"]),
        ("bytea", ["''", "'\\x00ff5c27'"]), ("uuid", ["'00000000-0000-0000-0000-00000000000a'"]), ("char(5)", ["'ab'", "''"]),
        ("varchar(9)", ["'a  '"]), ("\"char\"", ["'c'"]), ("name", ["'n'"]), ("bit(3)", ["'101'"]), ("varbit", ["''", "'1'"]),
        ("json", ["' {\"b\":  1, \"a\":2, \"a\":3}'", "'null'", "'\"s\"'"]), ("jsonb", ["'{\"b\": null}'", "'1.50'", "'\"\\u00e9\"'"]),
        ("xml", ["'<a> 1</a>'", "'text &amp; <b/>'"]), ("money", ["-1234.56"]), ("inet", ["'10.0.0.1/8'"]), ("macaddr",
            ["'08:00:2b:01:02:03'"]),
        ("point", ["'(0.1,1e300)'"]), ("path", ["'[(0,0),(1,1)]'"]), ("tsvector", ["'a:1A b'", "''"]), ("tsquery", ["'a & !b'"]),
        ("int[]", ["'[2:3]={1,NULL}'", "'{}'", "'{{1,2},{3,4}}'"]), ("text[]", ["'{\"\",NULL,\"NULL\",\"a,b\",\"\\\\\\\\\"}'"]),
        ("regclass", ["'pg_class'", "'\"Odd table\"'", "'0'"]), ("regclass[]", ["'{pg_class,\"\\\"Odd table\\\"\"}'"]), ("regtype",
            ["'mood'"]),
        ("mood", ["'so so'"]), ("mood[]", ["'{good,NULL}'"]), ("pair", ["ROW(NULL, NULL)::pair", "'(1,\"a \"\"b\"\" ,\")'",
            "ROW(1.5, '')::pair"]),
        ("pair[]", ["ARRAY[ROW(NULL, NULL)::pair, NULL, '(1,x)']"]), ("short", ["'ab'", "''"]), ("floats", ["'[0.1,0.3)'", "'empty'",
            "'(,)'"]),
        ("tstzrange", ["'[2026-01-01 00:00+09,)'"]), ("pg_lsn", ["'16/B374D848'"]), ("oid", ["4294967295"]),
    ];

    private const string Made =
        """
        CREATE TYPE mood AS ENUM ('good', 'so so');
        CREATE TYPE pair AS (a float8, b text);
        CREATE DOMAIN short AS varchar(5) CHECK (value <> 'x');
        CREATE TYPE floats AS RANGE (subtype = float8);
        CREATE TABLE "Odd table" (id int PRIMARY KEY);
        """;

    [Fact]
    public async Task Values_of_every_type_come_back_as_they_were_whatever_the_sessions_are_set_to()
    {
        await using var database = await TestDatabase.CreateAsync();
        var rows = Types.Max(type => type.Values.Length) + 1;
        var columns = Types.Select((type, i) => $"c{i} {type.Type}").ToList();
        var values = Enumerable.Range(0, rows).Select(row => $"({row}, "
            + string.Join(", ", Types.Select(type => row < type.Values.Length ? type.Values[row] : "NULL")) + ")");
        await database.ExecuteAsync(
            $"{Made}\nCREATE TABLE t (id int PRIMARY KEY, {string.Join(", ", columns)});\n"
                + string.Join('\n', values.Select(value => $"INSERT INTO t VALUES {value};")));
        var drops = string.Join(", ", Types.Select((_, i) => $"DROP COLUMN c{i}"));
        var adds = string.Join(", ", columns.Select(column => $"ADD COLUMN {column}"));
        var overwrite = string.Join(", ", Types.Select((_, i) => $"c{i} = NULL"));
        const string Odd = "SET DateStyle = 'SQL, DMY'; SET TimeZone = 'Asia/Kolkata'; SET IntervalStyle = sql_standard; "
            + "SET extra_float_digits = 0; SET bytea_output = escape; SET xmloption = document; SET search_path = '';";
        using var folder = new Folder()
            .Write(1, "drop", $"{Odd} ALTER TABLE public.t {drops};",
                $"{Odd.Replace("''", "public", StringComparison.Ordinal)} ALTER TABLE t {adds};", Keep)
            .Write(2, "overwrite", $"UPDATE t SET {overwrite};", "SELECT 1;", Keep)
            .Write(3, "delete", "SET DateStyle = 'German'; DELETE FROM t;", "SELECT 1;", Keep);
        var before = await RowsAsync(database, "t");

        foreach (var _ in (int[])[1, 2])
        {
            await folder.ApplyAsync(database, request: Folder.Anywhere with { To = 1 });
            await folder.RollbackAsync(database);
            (await RowsAsync(database, "t")).ShouldBe(before);
        }

        folder.Delete(1);
        await folder.ApplyAsync(database);
        (await database.ScalarAsync<long>("SELECT count(*) FROM t")).ShouldBe(0);
        await folder.RollbackAsync(database, new RollbackRequest(All: true));
        (await RowsAsync(database, "t")).ShouldBe(before);
        (await database.ScalarAsync<long>("SELECT count(*) FROM chatgenius_db.kept")).ShouldBe(0);
    }

    [Fact]
    public async Task Whatever_a_random_section_destroys_a_rollback_gives_back()
    {
        var seed = Chance.Seed;
        for (var i = 0; i < Chance.Cases(12); i++)
        {
            await TryAsync(new Random(seed + i), $"seed {seed}, case {i}");
        }
    }

    private static async Task TryAsync(Random random, string about)
    {
        await using var database = await TestDatabase.CreateAsync();
        (string Type, string Value)[] keys =
        [
            ("int", "i"), ("bigint GENERATED ALWAYS AS IDENTITY", "i"), ("text COLLATE \"C\"", "'it''s \\ ' || i"), ("uuid",
                "md5(i::text)::uuid"),
            ("timestamptz", "'2026-03-29'::timestamptz + i * interval '10 minutes 1 us'"), ("float8", "i / 7.0"), ("bytea",
                "decode(md5(i::text), 'hex')"),
        ];
        var (keyType, keyValue) = keys[random.Next(keys.Length)];
        var plain = keyType.Split(" GEN")[0];
        var columns = Types.OrderBy(_ => random.Next()).Take(4).ToList();
        var script = new StringBuilder(Made).Append(CultureInfo.InvariantCulture,
            $"CREATE TABLE t (id {keyType} PRIMARY KEY, no int NOT NULL, c0 {columns[0].Type}, c1 {columns[1].Type}, c2 {columns[2].Type}, "
            + $"c3 {columns[3].Type});\n");
        for (var i = 1; i <= 15; i++)
        {
            var values = columns.Select(c => random.Next(4) == 0 ? "NULL" : c.Values[random.Next(c.Values.Length)]);
            script.Append(CultureInfo.InvariantCulture, $"INSERT INTO t (id, no, c0, c1, c2, c3) OVERRIDING SYSTEM VALUE ")
                .Append(CultureInfo.InvariantCulture, $"SELECT {keyValue}, i, {string.Join(", ", values)} FROM (SELECT {i} AS i) i;\n");
        }

        script.Append(CultureInfo.InvariantCulture,
            $"""
            CREATE TABLE child (id int PRIMARY KEY, t_id {plain} REFERENCES t ON DELETE CASCADE, note text);
            CREATE TABLE grandchild (id int PRIMARY KEY, child_id int REFERENCES child ON DELETE CASCADE,
                other_id int REFERENCES child ON DELETE SET NULL, note text);
            INSERT INTO child SELECT no, id, 'c' || no FROM t WHERE no % 2 = 0;
            INSERT INTO grandchild SELECT no, no, CASE WHEN no > 2 THEN 2 END, 'g' || no FROM t WHERE no % 4 = 0;
            """);
        await database.ExecuteAsync(script.ToString());
        var (up, down) = (new List<string>(), new List<string>());
        var gone = new HashSet<int>();
        for (var n = random.Next(1, 5); n > 0; n--)
        {
            var column = random.Next(columns.Count);
            var value = random.Next(3) == 0 ? "NULL" : columns[column].Values[random.Next(columns[column].Values.Length)];
            var some = $"no % {random.Next(1, 5)} = 0";
            switch (random.Next(gone.Contains(column) ? 2 : 6))
            {
                case 0:
                    up.Add($"DELETE FROM t WHERE {some} AND no > 3;");
                    break;
                case 1:
                    up.Add($"UPDATE grandchild AS g SET note = g.note || '!', other_id = NULL FROM child WHERE child.id = g.child_id;");
                    break;
                case 2:
                    up.Add($"UPDATE public.t x SET c{column} = {value} WHERE x.{some};");
                    break;
                case 3 when !columns[column].Type.StartsWith("reg", StringComparison.Ordinal):
                    up.Add($"ALTER TABLE t ALTER COLUMN c{column} TYPE text USING CASE WHEN {some} THEN 'other' END;");
                    down.Insert(0, $"ALTER TABLE t ALTER COLUMN c{column} TYPE {columns[column].Type} USING NULL;");
                    gone.Add(column);
                    break;
                case 4:
                    up.Add("TRUNCATE child, grandchild;");
                    break;
                default:
                    up.Add($"ALTER TABLE t DROP COLUMN c{column};");
                    down.Insert(0, $"ALTER TABLE t ADD COLUMN c{column} {columns[column].Type};");
                    gone.Add(column);
                    break;
            }
        }

        using var folder = new Folder().Write(1, "random", string.Join('\n', up), string.Join('\n', [.. down, "SELECT 1;"]), Keep);
        var before = await AllAsync();
        await folder.ApplyAsync(database);
        await folder.RollbackAsync(database);

        (await AllAsync()).ShouldBe(before, $"{about}\n{script}\n{string.Join('\n', up)}");
        (await database.ScalarAsync<long>("SELECT count(*) FROM chatgenius_db.kept")).ShouldBe(0, about);

        async Task<string> AllAsync() =>
            await RowsAsync(database, "t") + await RowsAsync(database, "child") + await RowsAsync(database, "grandchild");
    }

    [Fact]
    public async Task What_was_changed_in_between_is_said_and_kept_and_not_overwritten()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            """
            CREATE TABLE team (id int PRIMARY KEY);
            CREATE TABLE t (id int PRIMARY KEY, v text, code text UNIQUE, team_id int REFERENCES team);
            INSERT INTO team VALUES (1), (2);
            INSERT INTO t SELECT i, 'v' || i, 'c' || i, 1 + i % 2 FROM generate_series(1, 12) i;
            """);
        using var folder = new Folder().Write(1, "mixed",
            "UPDATE t SET v = 'new' WHERE id <= 4; DELETE FROM t WHERE id > 8; ALTER TABLE t ADD CHECK (id < 9);",
            "ALTER TABLE t DROP CONSTRAINT t_id_check;", Keep);
        await folder.ApplyAsync(database);
        await database.ExecuteAsync(
            """
            UPDATE t SET v = 'mine' WHERE id = 1; DELETE FROM t WHERE id = 2; ALTER TABLE t DROP CONSTRAINT t_id_check;
            INSERT INTO t VALUES (9, 'taken', 'x', 1), (20, 'same code', 'c10', 1); ALTER TABLE t ADD CONSTRAINT t_id_check CHECK (id < 90);
            UPDATE t SET team_id = 1; DELETE FROM team WHERE id = 2;
            """);

        await folder.RollbackAsync(database);

        (await RowsAsync(database, "t")).Split('\n').ShouldBe(
        [
            "(c1,1,1,mine)", "(c10,20,1,\"same code\")", "(c12,12,1,v12)", "(c3,3,1,v3)", "(c4,4,1,v4)", "(c5,5,1,v5)", "(c6,6,1,v6)",
            "(c7,7,1,v7)", "(c8,8,1,v8)", "(x,9,1,taken)",
        ]);
        (await database.ScalarAsync<string>(
            "SELECT string_agg(key ->> 'id' || ': ' || conflict, E'\n' ORDER BY (key ->> 'id')::int) FROM chatgenius_db.kept"))
            .ShouldBe("""
                1: the value was changed since
                2: the row is gone
                9: the key is taken
                10: another unique value of it is taken
                11: the row in public.team that it refers to is not there
                """);
        folder.Told<MigrationEvent.Remark>().Select(remark => remark.Message).ShouldBe(
        [
            "put back into public.t: 1 row that was deleted and the values of 2 rows",
            "not put back into public.t, and still kept: 1 row, because another unique value of it is taken",
            "not put back into public.t, and still kept: 1 row, because the key is taken",
            "not put back into public.t, and still kept: 1 row, because the row in public.team that it refers to is not there",
            "not put back into public.t, and still kept: 1 row, because the row is gone",
            "not put back into public.t, and still kept: 1 row, because the value was changed since",
        ]);
    }

    public static TheoryData<string, string, string> Refused => new()
    {
        { "DELETE FROM bare", "", "it has no key" }, { "DO $$ BEGIN DELETE FROM t; END $$", "", "only the server knows it" },
        { "UPDATE t SET id = id + 1", "", "it takes or changes the key" }, { "ALTER TABLE t DROP COLUMN id", "",
            "takes or changes the key" },
        { "DELETE FROM t", "CREATE TRIGGER x AFTER DELETE ON t EXECUTE FUNCTION nothing()", "t has the trigger x" },
        { "DELETE FROM t", "CREATE TABLE heir () INHERITS (t)", "others inherit from it" },
        { "UPDATE t SET v = nothing2()", "", "it may call a function that does more" }, { "ALTER SEQUENCE s RESTART", "", "only rows" },
        { "ALTER TABLE numbered DROP COLUMN n", "", "GENERATED ALWAYS AS IDENTITY" }, { "UPDATE odd SET v = NULL", "", "names of objects" },
        { "UPDATE t SET v = 'x'; ALTER TABLE t RENAME TO u; ALTER TABLE bare RENAME TO t", "", "another table takes its name" },
        { "ALTER TABLE t RENAME TO u; ALTER TABLE numbered RENAME TO t; DELETE FROM t", "", "another table takes its name" },
        { "REFRESH MATERIALIZED VIEW seen", "", "it is no table" }, { "WITH x AS (DELETE FROM t RETURNING id) SELECT 1", "",
            "more than one" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task What_cant_be_kept_truthfully_is_refused_before_anything_runs(string sql, string before, string reason)
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            $"""
            CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE bare (id int); CREATE SEQUENCE s; CREATE TYPE named AS (c regclass);
            CREATE TABLE odd (id int PRIMARY KEY, v named); CREATE MATERIALIZED VIEW seen AS SELECT 1 AS one;
            CREATE TABLE numbered (id int PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY);
            CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
            CREATE FUNCTION nothing2() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
            {before}
            """);
        using var folder = new Folder().Write(1, "first", "CREATE TABLE made (id int);", "DROP TABLE made;")
            .Write(2, "kept", sql + ";", options: Keep);

        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems.ShouldHaveSingleItem();

        problem.Code.ShouldBe("CG0534");
        problem.Message.ShouldContain(reason);
        problem.Where!.Path.ShouldEndWith("0002_kept.sql");
        (await database.ScalarAsync<bool>("SELECT to_regclass('made') IS NULL")).ShouldBeTrue();
    }

    [Theory]
    [InlineData(" keep:true transaction:false", "", "SELECT 1;", "SELECT 1;")]
    [InlineData("", " keep:true", "SELECT 1;", "SELECT 1;")]
    [InlineData(" keep:true", "", "SET ROLE x;", "SELECT 1;")]
    [InlineData(" keep:true", "", "-- cgdb:restore\nSELECT 1;", "SELECT 1;")]
    [InlineData(" keep:true", "", "SELECT 1;", "-- cgdb:restore\nSELECT 1;\n-- cgdb:restore")]
    public void A_section_that_can_keep_nothing_says_so(string up, string down, string upSql, string downSql)
    {
        using var folder = new Folder().Write(1, "odd", upSql, downSql, up, down);

        Should.Throw<ProblemException>(() => MigrationSource.Load(folder.Path, bundle: false))
            .Problems.ShouldHaveSingleItem().Code.ShouldBe("CG0334");
    }

    [Theory]
    [InlineData("ALTER TABLE t ADD COLUMN v text; UPDATE t SET v = 'computed'; ALTER TABLE t ALTER COLUMN v SET NOT NULL;")]
    [InlineData("ALTER TABLE t ADD COLUMN v text NOT NULL DEFAULT 'x';")]
    [InlineData(
        "ALTER TABLE t ADD COLUMN v text; ALTER TABLE t ADD CONSTRAINT one UNIQUE (v); "
            + "ALTER TABLE t RENAME TO u; ALTER TABLE u RENAME TO t;")]
    [InlineData("ALTER TABLE t ADD COLUMN v text; UPDATE t SET v = 'x';\n-- cgdb:restore\nALTER TABLE t ADD CHECK (v LIKE 'v%');")]
    public async Task Values_are_back_after_what_the_down_section_computes_and_before_what_it_demands(string down)
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 5) i");
        using var folder = new Folder().Write(1, "drop", "ALTER TABLE t DROP COLUMN v;", down, Keep);

        await folder.ApplyAsync(database);
        await folder.RollbackAsync(database);

        (await RowsAsync(database, "t")).ShouldBe("(1,v1)\n(2,v2)\n(3,v3)\n(4,v4)\n(5,v5)");
    }

    [Fact]
    public async Task A_table_that_is_dropped_comes_back_with_its_rows_its_numbers_and_what_refers_to_it()
    {
        await using var database = await TestDatabase.CreateAsync();
        const string Tables =
            """
            CREATE TABLE "My list" (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text, n int GENERATED ALWAYS AS (length(v)) STORED);
            CREATE TABLE item (id serial PRIMARY KEY, list int REFERENCES "My list", parent int REFERENCES item);
            """;
        await database.ExecuteAsync(Tables + "INSERT INTO \"My list\" (v) VALUES ('a'), (repeat('b', 1000000)); "
            + "INSERT INTO item (list, parent) VALUES (1, 1), (2, 1), (2, 2);");
        using var folder = new Folder().Write(1, "drop", "DROP TABLE item, \"My list\";", Tables, Keep);
        var before = await RowsAsync(database, "\"My list\"") + await RowsAsync(database, "item");

        await folder.ApplyAsync(database);
        await folder.RollbackAsync(database);

        (await RowsAsync(database, "\"My list\"") + await RowsAsync(database, "item")).ShouldBe(before);
        await database.ExecuteAsync("INSERT INTO \"My list\" (v) VALUES ('next'); INSERT INTO item (list) VALUES (3)");
    }

    [Fact]
    public async Task Slices_keep_what_they_change_and_a_table_of_seeds_in_the_same_run_is_kept_too()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder()
            .Write(1, "create",
                "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 500) i;",
                "DROP TABLE t;")
            .Write(2, "overwrite", "UPDATE t SET v = upper(v) WHERE id BETWEEN :batch_first AND :batch_last AND id % 3 = 0;", "SELECT 1;",
                " batch:t size:40 keep:true")
            .Write(3, "delete", "DELETE FROM t WHERE id BETWEEN :batch_first AND :batch_last AND id % 2 = 0;", "SELECT 1;",
                " batch:t size:70 keep:true")
            .Write(4, "drop", "ALTER TABLE t DROP COLUMN v;", "ALTER TABLE t ADD COLUMN v text;", Keep);

        await folder.ApplyAsync(database);
        (await database.ScalarAsync<string>(
            "SELECT string_agg(n, ' ' ORDER BY n) FROM (SELECT version || ':' || kind || ':' || count(*) AS n "
            + "FROM chatgenius_db.kept GROUP BY version, kind) g")).ShouldBe("2:values:166 3:row:250 4:values:250");
        await folder.RollbackAsync(database, new RollbackRequest(Steps: 3));

        (await database.ScalarAsync<long>("SELECT count(*) FROM t WHERE v = 'v' || id")).ShouldBe(500);
    }

    [Fact]
    public async Task A_partitioned_table_gets_back_its_values_its_rows_and_a_partition_and_a_down_may_go_in_batches()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            "CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); "
                + "CREATE TABLE p1 PARTITION OF t FOR VALUES FROM (0) TO (50); "
                + "CREATE TABLE p2 (v text, gone int, id int NOT NULL); ALTER TABLE p2 DROP COLUMN gone; "
                + "ALTER TABLE t ATTACH PARTITION p2 FOR VALUES FROM (50) TO (200); "
                + "INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 99) i");
        var before = await RowsAsync(database, "t");
        using var folder = new Folder()
            .Write(1, "rows", "DELETE FROM t WHERE id % 7 = 0; UPDATE t SET v = 'x' WHERE id % 5 = 0;", "SELECT 1;", Keep)
            .Write(2, "partition", "DROP TABLE p1;", "CREATE TABLE p1 PARTITION OF t FOR VALUES FROM (0) TO (50);", Keep)
            .Write(3, "column", "ALTER TABLE t DROP COLUMN v;", "ALTER TABLE t ADD COLUMN v text;", Keep)
            .Write(4, "batches", "DELETE FROM t WHERE id BETWEEN :batch_first AND :batch_last AND id % 2 = 0;", "SELECT 1;",
                " batch:t size:20 keep:true");
        // What a down in batches computes for all rows does not cover what is put back after it.
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "0005_down.sql"),
            "-- migrate:up keep:true\nDELETE FROM t WHERE id > 90;\n-- migrate:down batch:t size:10\n"
                + "DELETE FROM t WHERE id BETWEEN :batch_first AND :batch_last AND id > 1000;\n");

        await folder.ApplyAsync(database);
        (await database.ScalarAsync<long>("SELECT count(*) FROM t")).ShouldBeLessThan(25);
        await folder.RollbackAsync(database, new RollbackRequest(Steps: 5));

        (await RowsAsync(database, "t")).ShouldBe(before);
        (await database.ScalarAsync<long>("SELECT count(*) FROM chatgenius_db.kept")).ShouldBe(0);
    }

    [Fact]
    public async Task A_plan_says_what_is_kept_a_list_what_there_is_and_who_must_be_forgotten_is()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 5) i; "
                + "CREATE TABLE u (id int PRIMARY KEY, v text); INSERT INTO u VALUES (1, 'u'); ANALYZE");
        using var tool = new Tool.InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        tool.Write("migrations/0001_a.sql", "-- migrate:up keep:true\nALTER TABLE t DROP COLUMN v;\nDELETE FROM u WHERE id = 1;\n"
            + "-- migrate:down\nALTER TABLE t ADD COLUMN v text;\n");

        (await tool.RunAsync("plan", "--no-bundle", "--fresh")).Out.ShouldContain(
            "-- keeps values of public.t (v), after a look at all rows, about 5\nALTER TABLE t DROP COLUMN v;\n"
                + "-- keeps rows of public.u, those that it deletes\nDELETE FROM u WHERE id = 1;");
        (await tool.RunAsync("script", "--no-bundle", "--fresh")).Error.ShouldContain("CG0534");
        (await tool.RunAsync("apply", "--no-bundle", "--fresh")).ExitCode.ShouldBe(ChatGenius.Tool.ExitCode.Done);
        (await tool.RunAsync("kept", "list", "--no-bundle")).Out.ShouldMatch(
            "0001 values of public\\.t \\(v\\), of 5 rows, since .* UTC\n0001 rows of public\\.u, of 1 row, since .* UTC");
        (await tool.RunAsync("kept", "prune")).Error.ShouldContain("CG1007");
        (await tool.RunAsync("kept", "prune", "--no-bundle", "--all", "--table", "t")).Error.ShouldContain("CG1007");
        (await tool.RunAsync("kept", "prune", "--no-bundle", "--all")).Error.ShouldContain("CG1008");
        (await tool.RunAsync("kept", "prune", "--no-bundle", "--where", "oops", "--yes")).ExitCode.ShouldBe(ChatGenius.Tool.ExitCode.Error);
        (await tool.RunAsync("kept", "prune", "--no-bundle", "--older-than", "1d", "--yes")).Out.ShouldBe("Nothing of that is kept\n");
        (await tool.RunAsync("kept", "prune", "--no-bundle", "--where", "old_values ->> 'v' = 'v3' -- her", "--table", "t", "--yes")).Out
            .ShouldBe("Forgot what was kept of 1 row\n");
        (await database.ScalarAsync<string>(
            "SELECT string_agg(concat_ws(' ', action, command, version, detail), '') FROM chatgenius_db.log WHERE action = 'pruned'"))
            .ShouldBe("pruned kept");

        var undone = await tool.RunAsync("rollback", "--yes", "--no-bundle");
        undone.Error.ShouldContain("will be put back: values of public.t (v), kept of 4 rows by 0001_a");
        undone.Error.ShouldContain("put back into public.u: 1 row that was deleted");
        (await RowsAsync(database, "t")).ShouldBe("(1,v1)\n(2,v2)\n(3,)\n(4,v4)\n(5,v5)");
    }

    [Fact]
    public async Task Nobody_else_may_read_what_was_kept()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync(
            "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC; CREATE TABLE t (id int PRIMARY KEY, v text)");
        using var folder = new Folder().Write(1, "drop", "ALTER TABLE t DROP COLUMN v;", options: Keep);

        await folder.ApplyAsync(database);

        (await database.ScalarAsync<string>("SELECT relacl::text FROM pg_class WHERE oid = 'chatgenius_db.kept'::regclass"))
            .ShouldNotContain("=r/");
    }

    /// <summary>All rows of a table, with its columns by name.</summary>
    private static async Task<string> RowsAsync(TestDatabase database, string table)
    {
        var columns = await database.ScalarAsync<string>(
            "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attname) FROM pg_attribute "
            + $"WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped");
        return await database.ScalarAsync<string>(
            "SELECT coalesce(string_agg(line, E'\\n' ORDER BY line COLLATE \"C\"), '') "
            + $"FROM (SELECT ROW({columns})::text AS line FROM {table}) lines") ?? "";
    }
}
