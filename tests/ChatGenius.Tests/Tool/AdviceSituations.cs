using ChatGenius.Tests.Templates;

namespace ChatGenius.Tests.Tool;

/// <summary>A situation that a problem's advice leads out of by a command.</summary>
/// <param name="Code">The problem.</param>
/// <param name="Calls">The commands that its advice names, in their order.</param>
/// <param name="Make">Brings it about; gives the call that meets it.</param>
/// <param name="Human">What the advice leaves to the reader, before the call that is given.</param>
/// <param name="Looks">Whether the advised call only finds out what to do: the first one stays wrong.</param>
internal sealed record Situation(
    string Code, string Calls, Func<AdviceStage, Task<string>> Make, Func<AdviceStage, string, Task>? Human = null, bool Looks = false);

/// <summary>A project and a database, both with names that have to be quoted.</summary>
internal sealed class AdviceStage(TestDatabase database) : IDisposable
{
    public InProcess Tool { get; } = new() { Terminal = true, Input = string.Concat(Enumerable.Repeat("y\n", 5)), Width = 200 };

    public TestDatabase Database => database;

    public string Url { get; set; } = database.Url.Display;

    /// <summary>A server that is not there yet, where the situation has one.</summary>
    public LateServer? Late { get; set; }

    /// <summary>The options that the first call has, and every call of an advice has to keep.</summary>
    public string[] Here => ["-m", "my $migrations", "--no-bundle", "--history-schema", "kept `here`", "-d", Url];

    /// <summary>Runs a call, with what only a test adds: a server for throw-away databases.</summary>
    public async Task<ToolRun> RunAsync(string call, bool isFirst)
    {
        List<string> words = [.. ShellWords.Split(call.Replace(" URL", $" {Url}", StringComparison.Ordinal))];
        words.AddRange(!isFirst ? [] : words[0] == "server" ? ["--no-color"] : ["--no-color", .. Here]);
        var needsServer = (words[0] is "check" or "drift" && !words.Contains("--rules")) || words.Contains("--detect");
        words.AddRange(needsServer ? ["--shadow", (await TestServer.UrlAsync()).Display] : []);
        return await Tool.RunAsync([.. words]);
    }

    public Task<ToolRun> FirstAsync(string call) => RunAsync(call, isFirst: true);

    public void Write(string id, string up, string down = "SELECT 1", string options = "", string downOptions = "") => Tool.Write(
        $"my $migrations/{id}.sql", $"-- migrate:up{options}\n{up};\n-- migrate:down{downOptions}\n{down};\n");

    public void Delete(string id) => File.Delete(Path.Combine(Tool.Folder, "my $migrations", $"{id}.sql"));

    /// <summary>Statements outside a transaction, of which the second fails until the table <c>go</c> is there.</summary>
    public void WriteStopping(string id, bool up)
    {
        const string Stops = "SELECT 1 / (SELECT count(*) FROM pg_class WHERE relname = 'go');\nDROP INDEX CONCURRENTLY IF EXISTS x";
        Write(id, up ? $"CREATE TABLE s (i int);\n{Stops}" : "CREATE TABLE s (i int)", up ? "DROP TABLE s" : $"DROP TABLE s;\n{Stops}",
            up ? " transaction:false" : "", up ? "" : " transaction:false");
    }

    public Task GoAsync() => Database.ExecuteAsync("CREATE TABLE IF NOT EXISTS go ()");

    public async Task GitAsync(params string[] arguments)
    {
        await using var git = ToolProcess.StartProcess("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", .. arguments],
            Tool.Folder, environment: null, input: null);
        (await git.ExitAsync()).ExitCode.ShouldBe(0);
    }

    public void Dispose()
    {
        Late?.Dispose();
        if (Tool.Environment.TryGetValue("CHATGENIUS_DATA_DIR", out var data))
        {
            Tool.RunAsync("server", "destroy", "--yes").GetAwaiter().GetResult();
            (Directory.Exists(data) ? new DirectoryInfo(data) : null)?.Delete(recursive: true);
        }

        Tool.Dispose();
    }
}

/// <summary>All situations, as data.</summary>
internal static class AdviceSituations
{
    internal static readonly Dictionary<string, Situation> All = new()
    {
        ["edited"] = new("CG0401", "rollback apply repair", async s =>
        {
            s.Write("0001_a", "CREATE TABLE a ()", "DROP TABLE a");
            s.Write("0002_b", "CREATE TABLE b ()", "DROP TABLE b");
            await s.FirstAsync("apply");
            s.Write("0001_a", "CREATE TABLE a (i int)", "DROP TABLE a");
            return "apply";
        }),
        ["another file"] = new("CG0401", "renumber rollback apply", async s =>
        {
            s.Write("0001_a", "CREATE TABLE a ()", "DROP TABLE a");
            await s.FirstAsync("apply");
            s.Delete("0001_a");
            s.Write("0001_b", "CREATE TABLE b ()", "DROP TABLE b");
            return "apply";
        }, (s, call) => Do(() =>
        {
            if (call.StartsWith("renumber", StringComparison.Ordinal))
            {
                s.Write("0001_a", "CREATE TABLE a ()", "DROP TABLE a");
            }
        })),
        ["missing"] = new("CG0402", "rollback", async s =>
        {
            s.Write("0001_a", "CREATE TABLE a ()", "DROP TABLE a");
            s.Write("0002_b", "CREATE TABLE b ()", "DROP TABLE b");
            await s.FirstAsync("apply");
            s.Delete("0001_a");
            return "apply";
        }),
        ["out of order"] = new("CG0403", "renumber", async s =>
        {
            s.Write("0002_b", "CREATE TABLE b ()");
            await s.FirstAsync("apply");
            s.Write("0001_a", "CREATE TABLE a ()");
            return "apply";
        }),
        ["edited after an interruption"] = new("CG0404", "apply repair", async s =>
        {
            s.WriteStopping("0001_s", up: true);
            await s.FirstAsync("apply");
            s.Write("0001_s", "CREATE TABLE s (j int);\nSELECT 1", options: " transaction:false");
            return "apply";
        }, async (s, call) =>
        {
            await s.GoAsync();
            if (call.StartsWith("repair", StringComparison.Ordinal))
            {
                await s.Database.ExecuteAsync("DROP TABLE s");
                return;
            }

            s.WriteStopping("0001_s", up: true);
        }),
        ["edited after an interrupted rollback"] = new("CG0404", "rollback repair", async s =>
        {
            s.WriteStopping("0001_s", up: false);
            await s.FirstAsync("apply");
            await s.Database.ExecuteAsync(
                "UPDATE \"kept `here`\".history SET down_sql = '-- migrate:down transaction:false' || E'\\nSELECT 1;'");
            await s.FirstAsync("rollback");
            s.Write("0001_s", "CREATE TABLE s (i int)", "SELECT 2", downOptions: " transaction:false");
            return "rollback";
        }, async (s, call) =>
        {
            await s.GoAsync();
            if (call.StartsWith("repair", StringComparison.Ordinal))
            {
                await s.Database.ExecuteAsync("CREATE TABLE s ()");
                return;
            }

            s.WriteStopping("0001_s", up: false);
        }),
        ["interrupted rollback whose file was edited"] = new("CG0405", "rollback", async s =>
        {
            s.WriteStopping("0001_s", up: false);
            await s.FirstAsync("apply");
            await s.FirstAsync("rollback");
            s.Write("0001_s", "CREATE TABLE s (i int)", "SELECT 2", downOptions: " transaction:false");
            return "apply";
        }, (s, _) => s.GoAsync()),
        ["no such number"] = new("CG0406", "status", s => Do(() => s.Write("0001_a", "SELECT 1"), "apply --to 99")),
        ["interrupted apply"] = new("CG0408", "apply repair", async s =>
        {
            s.WriteStopping("0001_s", up: true);
            await s.FirstAsync("apply");
            return "rollback";
        }, (s, _) => s.GoAsync()),
        ["nothing interrupted"] = new("CG0411", "status", s => Do(() => s.Write("0001_a", "SELECT 1"), "repair 1 --done")),
        ["between two statements"] = new("CG0412", "apply", async s =>
        {
            s.WriteStopping("0001_s", up: true);
            await s.FirstAsync("apply");
            return "repair 1 --done";
        }, (s, _) => s.GoAsync()),
        ["between two statements of a rollback"] = new("CG0412", "rollback", async s =>
        {
            s.WriteStopping("0001_s", up: false);
            await s.FirstAsync("apply");
            await s.FirstAsync("rollback");
            return "repair 1 --done";
        }, (s, _) => s.GoAsync()),
        ["redo without a file"] = new("CG0415", "rollback", async s =>
        {
            s.Write("0001_a", "CREATE TABLE a ()", "DROP TABLE a");
            await s.FirstAsync("apply");
            s.Delete("0001_a");
            return "redo";
        }),
        ["not edited"] = new("CG0417", "status", async s =>
        {
            s.Write("0001_a", "SELECT 1");
            await s.FirstAsync("apply");
            return "repair 1 --accept";
        }),
        ["a script of an interrupted one"] = new("CG0418", "apply repair", async s =>
        {
            s.WriteStopping("0001_s", up: true);
            await s.FirstAsync("apply");
            return "script";
        }, (s, _) => s.GoAsync()),
        ["there already"] = new("CG0502", "baseline", async s =>
        {
            s.Write("0001_a", "CREATE TABLE a ()");
            await s.Database.ExecuteAsync("CREATE TABLE a ()");
            return "apply --fresh";
        }),
        ["pending before what is adopted"] = new("CG1114", "apply", async s =>
        {
            s.Write("0001_a", "CREATE TABLE a ()");
            await s.FirstAsync("apply");
            s.Write("0002_b", "CREATE TABLE b ()");
            await s.Database.ExecuteAsync("CREATE TABLE found ()");
            return "drift --adopt found";
        }),
        ["undone and not applied again"] = new("CG0502", "apply", async s =>
        {
            s.Write("0001_a", "CREATE TABLE a ()", "DROP TABLE a");
            await s.FirstAsync("apply");
            s.Write("0001_a", "CREATE TABEL a ()", "DROP TABLE a");
            return "redo --separately";
        }, (s, _) => Do(() => s.Write("0001_a", "CREATE TABLE a ()", "DROP TABLE a"))),
        ["nobody knows"] = new("CG0507", "repair repair", async s =>
        {
            s.Write("0001_a", "DO $$ BEGIN COMMIT; PERFORM 1 / (SELECT count(*) FROM pg_class WHERE relname = 'go'); END $$",
                options: " transaction:false");
            await s.FirstAsync("apply");
            return "apply";
        }, (s, _) => s.GoAsync()),
        ["more than certified"] = new("CG0515", "check", async s =>
        {
            s.Write("0001_t", "CREATE TABLE t (i int);\nALTER TABLE t ADD CONSTRAINT proof CHECK (i IS NOT NULL)");
            s.Write("0002_t", "ALTER TABLE t ALTER COLUMN i SET NOT NULL", "ALTER TABLE t ALTER COLUMN i DROP NOT NULL");
            await s.FirstAsync("check --certify");
            await s.FirstAsync("apply --to 1");
            await s.Database.ExecuteAsync("ALTER TABLE t DROP CONSTRAINT proof");
            return "apply --certified";
        }, (s, _) => s.Database.ExecuteAsync("ALTER TABLE t ADD CONSTRAINT proof CHECK (i IS NOT NULL)")),
        ["no certificate"] = new("CG1213", "check", s => Do(() => s.Write("0001_t", "CREATE TABLE t (i int)", "DROP TABLE t"),
            "apply --certified")),
        ["a broken certificate"] = new("CG1213", "check", s => Do(() =>
        {
            s.Write("0001_t", "CREATE TABLE t (i int)", "DROP TABLE t");
            s.Tool.Write("my $migrations/0001_t.trace.json", "{ broken");
        }, "apply --certified")),
        ["no database"] = new("CG0617", "create", s => Do(() =>
        {
            s.Write("0001_a", "SELECT 1");
            s.Url = s.Database.Url.WithDatabase($"{s.Database.Url.DatabaseName} it$ absent!").Display;
        }, "apply")),
        ["no server"] = new("CG0610", "wait", s => LateAsync(s, refuses: false), (s, _) => Do(() => s.Late!.Begin())),
        ["a server that starts"] = new("CG0620", "wait", s => LateAsync(s, refuses: true), (s, _) => Do(() => s.Late!.Begin())),
        ["half dropped"] = new("CG0646", "drop reset", async s =>
        {
            s.Write("0001_a", "SELECT 1");
            await using var session = await Session.OpenMaintenanceAsync(s.Database.Database, "testing");
            await session.WriteAsync([new SqlQuery("UPDATE pg_catalog.pg_database SET datconnlimit = -2 WHERE datname = $1",
                s.Database.Url.DatabaseName)], default);
            return "apply";
        }),
        ["two of one number"] = new("CG0305", "renumber", s => Do(() =>
        {
            s.Write("0001_a", "CREATE TABLE a ()");
            s.Write("0001_b", "CREATE TABLE b ()");
        }, "apply")),
        ["two of one number, none applied"] = new("CG0816", "renumber", s => Do(() =>
        {
            s.Write("0001_a", "CREATE TABLE a ()");
            s.Write("0001_b", "CREATE TABLE b ()");
        }, "renumber")),
        ["applied, and to be taken back"] = new("CG0822", "rollback", async s =>
        {
            await s.FirstAsync("new add_reactions emoji:text");
            await s.FirstAsync("apply");
            return "new --undo";
        }),
        ["no such rule in the settings"] = new("CG0903", "check", s => Do(() =>
        {
            s.Write("0001_a", "SELECT 1");
            s.Tool.Write("chatgenius-db.json", "{ \"check\": { \"rules\": { \"X999\": { \"severity\": \"off\", \"reason\": \"x\" } } } }");
        }, "check")),
        ["no such rule in a comment"] = new("CG1204", "check", s => Do(() =>
            s.Write("0001_a", "-- cgdb:allow X999: because\nSELECT 1"), "verify")),
        ["nothing to compare"] = new("CG1003", "schema", s => Do(() => { }, "schema diff")),
        ["a broken dump"] = new("CG1102", "schema", s => Do(
            () => s.Tool.Write("it is broken!.txt", "chatgenius-db schema, format 1\nwhat\n"), "schema diff 'it is broken!.txt'")),
        ["drift of an interrupted one"] = new("CG1109", "apply", async s =>
        {
            s.WriteStopping("0001_s", up: true);
            await s.FirstAsync("apply");
            return "drift";
        }, (s, _) => s.GoAsync()),
        ["a checkpoint of that name"] = new("CG1311", "checkpoint", async s =>
        {
            await s.FirstAsync("checkpoint save \"it's mine!\"");
            return "checkpoint save \"it's mine!\"";
        }),
        ["no database to copy"] = new("CG1314", "create", s => Do(() =>
            s.Url = s.Database.Url.WithDatabase($"{s.Database.Url.DatabaseName} it$ absent!").Display, "checkpoint save one")),
        ["a checkpoint without a name"] = new("CG1010", "checkpoint", s => Do(() => { }, "checkpoint save"), Looks: true),
        ["another run between question and answer"] = new("CG0410", "repair", async s =>
        {
            s.Write("0001_a", "DO $$ BEGIN COMMIT; PERFORM 1 / 0; END $$", options: " transaction:false");
            await s.FirstAsync("apply");
            s.Tool.AtQuestion = () => s.Database.ExecuteAsync("UPDATE \"kept `here`\".journal SET started_at = now()")
                .GetAwaiter().GetResult();
            return "repair 1 --again";
        }),
        ["tables of others"] = new("CG0430", "baseline apply", async s =>
        {
            s.Write("0001_a", "CREATE TABLE a ()", "DROP TABLE a");
            await s.Database.ExecuteAsync("CREATE TABLE a ()");
            return "apply";
        }, (s, call) => call.StartsWith("apply", StringComparison.Ordinal)
            ? s.Database.ExecuteAsync("ALTER TABLE a RENAME TO other") : Task.CompletedTask),
        ["no table of that tool"] = new("CG0431", "baseline", TakenOverAsync("baseline --from dbmate"), Looks: true),
        ["not all there"] = new("CG0432", "baseline", TakenOverAsync("baseline --to 2"), Looks: true),
        ["a tool that is not known"] = new("CG1006", "baseline", TakenOverAsync("baseline --from nothing"), Looks: true),
        ["files that are programs"] = new("CG1502", "import", s => Do(() => s.Tool.Write(
            "of knex/20240101000000_a.js", "exports.up = knex => knex.raw('CREATE TABLE a ()');\n"
            + "exports.down = knex => knex.raw('DROP TABLE a');\n"), "import knex 'of knex'"), Looks: true),
        ["programs among files of SQL"] = new("CG1503", "import", s => Do(() => s.Tool.Write(
            "of pgm/20240101000000_a.js", "exports.up = pgm => pgm.sql('CREATE TABLE a ()');\n"
            + "exports.down = pgm => pgm.sql('DROP TABLE a');\n"), "import node-pg-migrate 'of pgm'"), Looks: true),
        ["files in a language of their own"] = new("CG1502", "baseline", TakenOverAsync("import ef-core ."), Looks: true),
        ["a baseline of nothing"] = new("CG1010", "baseline", TakenOverAsync("baseline"), Looks: true),
        ["applied on top of a mark"] = new("CG0435", "rollback", async s =>
        {
            await TakenOverAsync("")(s);
            await s.FirstAsync("baseline --to 1");
            await s.FirstAsync("apply");
            return "baseline --undo";
        }),
        ["no test database"] = new("CG1401", "test-database", s => Do(() => { }, "test-database drop URL"), Looks: true),
        ["a history that is altered meanwhile"] = new("CG0517", "status", async s =>
        {
            s.Write("0001_a", "SELECT 1");
            await s.FirstAsync("apply");
            s.Write("0002_b", "ALTER TABLE \"kept `here`\".history ADD COLUMN more int");
            return "apply";
        }),
        ["published, so it stays"] = new("CG0817", "renumber", async s =>
        {
            s.Write("0002_theirs", "SELECT 1");
            await s.GitAsync("init", "-q", "-b", "main");
            await s.GitAsync("add", "-A");
            await s.GitAsync("commit", "-q", "-m", "theirs");
            await s.GitAsync("checkout", "-q", "-b", "mine");
            s.Write("0001_mine", "SELECT 1");
            await s.FirstAsync("apply --to 1");
            await s.GitAsync("update-ref", "refs/remotes/origin/main", "main");
            return "renumber 'my $migrations/0002_theirs.sql'";
        }, Looks: true),
        ["batches by another key"] = new("CG0522", "repair", async s =>
        {
            s.Write("0001_t", "CREATE TABLE t (id int PRIMARY KEY, k int UNIQUE NOT NULL, v int); INSERT INTO t VALUES (1, 1), (2, 2)");
            s.Write("0002_t", "UPDATE t SET v = 0 / (SELECT count(*) FROM pg_class WHERE relname = 'go' OR id = 1)::int "
                + "WHERE id BETWEEN :batch_first AND :batch_last", options: " batch:t size:1");
            await s.FirstAsync("apply");
            await s.Database.ExecuteAsync("ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (k)");
            return "apply";
        }, (s, _) => s.GoAsync()),
        ["a history of an older layout"] = new("CG0523", "apply", s => OlderAsync(s, () =>
            s.Write("0002_a", "UPDATE a SET v = v WHERE id BETWEEN :batch_first AND :batch_last", options: " batch:a")), (s, _) =>
            s.Database.ExecuteAsync($"ALTER ROLE {RoleOf(s)} SUPERUSER")),
        ["no table for repeatable objects"] = new("CG0529", "apply", s => OlderAsync(s, () =>
            s.Tool.Write("my $migrations/repeatable/v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS one;\n")), (s, _) =>
            s.Database.ExecuteAsync($"ALTER ROLE {RoleOf(s)} SUPERUSER")),
        ["a script of what keeps values"] = new("CG0534", "apply", s => Do(
            () => s.Write("0001_a", "CREATE TABLE a ()", options: " keep:true"), "script")),
        ["kept, and undone outside of a transaction"] = new("CG0534", "kept", async s =>
        {
            s.Write("0001_a", "CREATE TABLE a (id int PRIMARY KEY, v int); INSERT INTO a VALUES (1, 1)");
            s.Write("0002_a", "ALTER TABLE a DROP COLUMN v", "ALTER TABLE a ADD COLUMN v int", " keep:true", " transaction:false");
            await s.FirstAsync("apply");
            return "rollback";
        }),
        ["a drop of what is not watched"] = new("CG1606", "unused", async s =>
        {
            s.Write("0001_a", "CREATE TABLE a (id int)");
            s.Write("0002_a", "-- cgdb:unused-since 7d\nDROP TABLE a", "CREATE TABLE a (id int)");
            await s.FirstAsync("apply --to 1");
            return "apply";
        }, Looks: true),
        ["a script of what names each other"] = new("CG0535", "apply", s => Do(() =>
        {
            s.Tool.Write("my $migrations/repeatable/v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS w;\n");
            s.Tool.Write("my $migrations/repeatable/w.sql", "CREATE OR REPLACE VIEW w AS SELECT 1 AS v;\n");
        }, "script")),
        ["data of another PostgreSQL"] = new("CG0713", "server", s => Do(() =>
        {
            var data = Directory.CreateDirectory(Path.Combine(OwnServer(s), "data")).FullName;
            File.WriteAllText(Path.Combine(data, "PG_VERSION"), "9\n");
        }, "server start")),
        ["data that no server can start with"] = new("CG0712", "server", async s =>
        {
            var folder = OwnServer(s);
            await s.FirstAsync("server start");
            await s.FirstAsync("server stop");
            File.Delete(Path.Combine(folder, "data", "global", "pg_control"));
            return "server start";
        }),
    };

    /// <summary>A database that has what the first of two migrations makes, and no history.</summary>
    private static Func<AdviceStage, Task<string>> TakenOverAsync(string call) => async s =>
    {
        s.Write("0001_a", "CREATE TABLE a ()", "DROP TABLE a");
        s.Write("0002_b", "CREATE TABLE b ()", "DROP TABLE b");
        await s.Database.ExecuteAsync("CREATE TABLE a ()");
        return call;
    };

    /// <summary>An embedded server of the stage's own, where the account that it runs as may enter.</summary>
    private static string OwnServer(AdviceStage s) =>
        s.Tool.Environment["CHATGENIUS_DATA_DIR"] = Path.Combine(Path.GetTempPath(), $"chatgenius-advice-{Guid.NewGuid():N}");

    private static string RoleOf(AdviceStage s) => $"lesser_{s.Database.Url.DatabaseName}";

    /// <summary>A role that may write a history of 0.1.0, and not upgrade it, meets what needs another table.</summary>
    private static async Task<string> OlderAsync(AdviceStage s, Action write)
    {
        s.Write("0001_a", "CREATE TABLE a (id int PRIMARY KEY, v int)");
        var applied = MigrationSource.Load(Path.Combine(s.Tool.Folder, "my $migrations"), bundle: false)[0];
        var role = RoleOf(s);
        await s.Database.ExecuteAsync(Migrations.OlderHistoryTests.Of010(applied).Replace("chatgenius_db", "\"kept `here`\"",
            StringComparison.Ordinal));
        await s.Database.ExecuteAsync($"CREATE ROLE {role} LOGIN PASSWORD 'of-a-test'; GRANT USAGE ON SCHEMA \"kept `here`\" TO {role}; "
            + $"GRANT ALL ON ALL TABLES IN SCHEMA \"kept `here`\" TO {role}; INSERT INTO a VALUES (1, 1); ALTER TABLE a OWNER TO {role}");
        write();
        var server = new NpgsqlConnectionStringBuilder(s.Database.Url.ConnectionString) { Username = role, Password = null };
        s.Tool.Environment["PGPASSWORD"] = "of-a-test";
        s.Url = Db.Connections.DatabaseUrl.Parse(server.ConnectionString, "test").Display;
        return "apply";
    }

    /// <summary>What is not walked through, and why.</summary>
    internal static readonly Dictionary<string, string> Others = new()
    {
        ["CG1112"] = "Its advice names an option and no command; the call after it in the source is that of a note.",
    };

    private static Task<string> LateAsync(AdviceStage stage, bool refuses)
    {
        stage.Write("0001_a", "SELECT 1");
        var server = new NpgsqlConnectionStringBuilder(stage.Database.Url.ConnectionString);
        stage.Late = new LateServer(server, refuses);
        stage.Tool.Environment["PGPASSWORD"] = server.Password ?? "";
        stage.Url = $"postgres://{server.Username}@127.0.0.1:{stage.Late.Port}/{server.Database}?sslmode=disable";
        return Task.FromResult("apply");
    }

    private static Task<string> Do(Action work, string call)
    {
        work();
        return Task.FromResult(call);
    }

    private static Task Do(Action work)
    {
        work();
        return Task.CompletedTask;
    }
}
