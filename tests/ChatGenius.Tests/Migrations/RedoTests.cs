using ChatGenius.Tests.Tool;
using ChatGenius.Tool;

namespace ChatGenius.Tests.Migrations;

/// <summary>Undoing and applying again, and which down runs.</summary>
public class RedoTests
{
    private const string Tables =
        "SELECT coalesce(string_agg(relname, ' ' ORDER BY relname), '') FROM pg_class WHERE relnamespace = 'public'::regnamespace AND "
            + "relkind = 'r'";

    private const string Log = "SELECT string_agg(action || version, ' ' ORDER BY id) FROM chatgenius_db.log";

    [Fact]
    public async Task A_redo_that_fails_changes_nothing_and_again_it_undoes_the_same()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "notes").WriteTable(2, "tags");
        await folder.ApplyAsync(database);
        await database.ExecuteAsync("INSERT INTO notes VALUES (1); INSERT INTO tags VALUES (1)");
        folder.Write(2, "create_tags", "CREATE TABEL tags (id int);", "DROP TABLE tags;");

        for (var i = 0; i < 2; i++)
        {
            var problem = (await Should.ThrowAsync<ProblemException>(() =>
                folder.Migrator(database).RedoAsync(new RedoRequest()))).Problems[0];
            problem.Code.ShouldBe("CG0502");
            problem.Advice!.ShouldContain("Nothing was changed");
            (await database.ScalarAsync<long>("SELECT (SELECT count(*) FROM notes) + (SELECT count(*) FROM tags)")).ShouldBe(2);
        }

        folder.Write(2, "create_tags", "CREATE TABLE tags (id int, name text);", "DROP TABLE tags;");
        (await folder.Migrator(database).RedoAsync(new RedoRequest())).Finished.Count.ShouldBe(2);
        (await database.ScalarAsync<long>("SELECT count(*) FROM notes")).ShouldBe(1);
        (await database.ScalarAsync<string>(Log)).ShouldBe("applied1 applied2 failed2 failed2 rolled_back2 redone2");
    }

    [Fact]
    public async Task Separately_a_redo_that_fails_goes_on_with_what_it_undid()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "notes").WriteTable(2, "tags");
        await folder.ApplyAsync(database);
        folder.Write(2, "create_tags", "CREATE TABEL tags (id int);", "DROP TABLE tags;");

        var problem = (await Should.ThrowAsync<ProblemException>(() =>
            folder.Migrator(database).RedoAsync(new RedoRequest(Separately: true)))).Problems[0];
        problem.Advice!.ShouldContain("It was undone before, and is not applied now");
        problem.Advice!.ShouldContain("'chatgenius-db apply'");
        folder.Write(2, "create_tags", "CREATE TABLE tags (id int);", "DROP TABLE tags;");

        var plan = await folder.Migrator(database).PlanRedoAsync(new RedoRequest());
        plan.Steps.Select(step => $"{step.Direction}{step.Version}").ShouldBe(["Up2"]);
        (await folder.Migrator(database).RedoAsync(new RedoRequest(), plan)).Finished.Count.ShouldBe(1);
        (await database.ScalarAsync<string>(Tables)).ShouldBe("notes tags");
    }

    [Fact]
    public async Task Of_several_steps_it_goes_on_with_those_that_are_not_applied_again()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "notes").WriteTable(2, "tags");
        await folder.ApplyAsync(database);
        folder.Write(2, "create_tags", "CREATE TABEL tags (id int);", "DROP TABLE tags;");
        await Should.ThrowAsync<ProblemException>(() => folder.Migrator(database).RedoAsync(new RedoRequest(2, Separately: true)));
        await database.ExecuteAsync("INSERT INTO notes DEFAULT VALUES");
        folder.WriteTable(2, "tags");

        var run = await folder.Migrator(database).RedoAsync(new RedoRequest());

        run.Finished.Select(done => $"{done.Step.Direction}{done.Step.Version}").ShouldBe(["Up2"]);
        (await database.ScalarAsync<long>("SELECT count(*) FROM notes")).ShouldBe(1);
        // Complete, it is no more what the next one goes on with.
        (await folder.Migrator(database).PlanRedoAsync(new RedoRequest())).Steps.Select(step => $"{step.Direction}{step.Version}")
            .ShouldBe(["Down2", "Up2"]);
    }

    [Theory]
    [InlineData("SELECT 1 / 0;", "None of its statements is done: the migration is still applied")]
    [InlineData("BEGIN;\nDROP TABLE a;\nDROP TABLE nowhere;\nCOMMIT;",
        "Its transaction was rolled back. None of its statements is done: the migration is still applied")]
    [InlineData("SELECT 1;\nBEGIN;\nDROP TABLE a;\nDROP TABLE nowhere;\nCOMMIT;",
        "Its transaction was rolled back. The statements before its BEGIN are done and noted: the migration is undone in part")]
    [InlineData("CREATE INDEX CONCURRENTLY i ON a ((1 / id));", "still applied. An invalid index may be left of this one")]
    [InlineData("BEGIN;\nDROP TABLE a;\nCOMMIT;\nDROP TABLE nowhere;",
        "The statements before this one are done and noted: the migration is undone in part")]
    public async Task What_is_done_of_a_section_without_a_transaction_is_what_was_committed(string down, string state)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "a", "CREATE TABLE a (id int); INSERT INTO a VALUES (0);", down,
            downOptions: " transaction:false");
        await folder.ApplyAsync(database);

        (await Should.ThrowAsync<ProblemException>(() => folder.RollbackAsync(database))).Problems[0].Advice!.ShouldContain(state);
    }

    [Fact]
    public async Task Several_steps_all_go_down_before_any_goes_up()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").WriteTable(2, "b").WriteTable(3, "c");
        await folder.ApplyAsync(database);

        (await folder.Migrator(database).RedoAsync(new RedoRequest(Steps: 2))).Finished
            .Select(done => $"{done.Step.Direction}{done.Step.Version}").ShouldBe(["Down3", "Down2", "Up2", "Up3"]);
    }

    [Fact]
    public async Task What_a_redo_could_know_before_is_said_before_anything_is_undone()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").WriteTable(2, "b");
        await folder.ApplyAsync(database);
        folder.Write(1, "create_a", "CREATE TABLE a (id bigint);", "DROP TABLE a;");

        (await Should.ThrowAsync<ProblemException>(() =>
            folder.Migrator(database).RedoAsync(new RedoRequest()))).Problems[0].Code.ShouldBe("CG0401");

        (await database.ScalarAsync<string>(Tables)).ShouldBe("a b");
        folder.Delete(2);
        (await Should.ThrowAsync<ProblemException>(() =>
            folder.Migrator(database).RedoAsync(new RedoRequest()))).Problems[0].Code.ShouldBe("CG0415");
    }

    [Theory]
    [InlineData("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; CREATE TABLE b (id int);", "DROP TABLE b;", "CG0416")]
    [InlineData("ALTER TYPE mood ADD VALUE 'new';",
        "ALTER TYPE mood RENAME TO mood_old; CREATE TYPE mood AS ENUM ('old'); DROP TYPE mood_old;", null)]
    [InlineData("CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a DEFERRABLE INITIALLY DEFERRED); INSERT INTO b VALUES (1, 1); "
        + "INSERT INTO a VALUES (1);",
        "DELETE FROM a; DROP TABLE b;", null)]
    public async Task What_can_not_be_in_one_transaction_is_said_and_runs_separately(string up, string down, string? code)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "base", "CREATE TYPE mood AS ENUM ('old'); CREATE TABLE a (id int PRIMARY KEY);",
            "SELECT 1;").Write(2, "it", up, down);
        await folder.ApplyAsync(database);

        if (code is not null)
        {
            var problem = (await Should.ThrowAsync<ProblemException>(() =>
                folder.Migrator(database).RedoAsync(new RedoRequest()))).Problems[0];
            problem.Code.ShouldBe(code);
            problem.Advice!.ShouldContain("--separately");
        }
        else
        {
            (await folder.Migrator(database).RedoAsync(new RedoRequest())).Finished.Count.ShouldBe(2);
        }

        (await folder.Migrator(database).RedoAsync(new RedoRequest(Separately: true))).Finished.Count.ShouldBe(2);
        (await folder.StatusAsync(database)).ShouldBe("1:Applied 2:Applied");
    }

    [Theory]
    [InlineData("UPDATE b SET b = 1; DROP TABLE b;", "Nothing was changed: what was applied still is, as it was.")]
    [InlineData("SELECT 1;", "It is there already: the down section has not taken it away. Nothing was changed")]
    public async Task What_separately_does_not_help_is_not_advised(string down, string advice)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "it", "CREATE TABLE b (id int PRIMARY KEY, b int REFERENCES b DEFERRABLE INITIALLY "
            + "DEFERRED); INSERT INTO b VALUES (1, 1), (2, 2);", down);
        await folder.ApplyAsync(database);

        var problem = (await Should.ThrowAsync<ProblemException>(() =>
            folder.Migrator(database).RedoAsync(new RedoRequest()))).Problems[0];

        problem.Advice!.ShouldStartWith(advice);
    }

    [Fact]
    public async Task The_down_of_what_was_applied_runs_and_not_the_one_of_another_file()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").Write(2, "f", "ALTER TABLE a ADD f int;", "ALTER TABLE a DROP f;");
        await folder.ApplyAsync(database);
        folder.Delete(2);
        folder.WriteTable(2, "g");

        var plan = await folder.Migrator(database).PlanRollbackAsync(new RollbackRequest());

        plan.Steps.ShouldHaveSingleItem().IsStored.ShouldBeTrue();
        plan.Steps[0].Id.ShouldBe("0002_f");
        await folder.RollbackAsync(database);
        (await database.ScalarAsync<long>("SELECT count(*) FROM pg_attribute WHERE attrelid = 'a'::regclass AND attname = 'f'"))
            .ShouldBe(0);
        await folder.ApplyAsync(database);
        (await database.ScalarAsync<string>(Tables)).ShouldBe("a g");
    }

    [Theory]
    [InlineData("CREATE TABLE a (id bigint);", "DROP TABLE a;", true)]
    [InlineData("CREATE TABLE a (id int); -- a comment", "DROP TABLE IF EXISTS a;", false)]
    public async Task An_edited_up_leaves_the_stored_down_and_an_edited_down_is_taken(string up, string down, bool stored)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "a", "CREATE TABLE a (id int);", "DROP TABLE a;");
        await folder.ApplyAsync(database);
        folder.Write(1, "a", up, down);

        (await folder.Migrator(database).PlanRollbackAsync(new RollbackRequest())).Steps[0].IsStored.ShouldBe(stored);
    }

    [Fact]
    public async Task A_rollback_that_failed_says_that_the_migration_is_still_applied()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "a", "CREATE TABLE dd (id int);", "DROP TABLE dde;");
        await folder.ApplyAsync(database);

        (await Should.ThrowAsync<ProblemException>(() =>
            folder.RollbackAsync(database))).Problems[0].Advice!.ShouldContain("still applied, as it was");
    }

    [Theory]
    [InlineData("rollback", "1:Applied 2:Pending")]
    [InlineData("apply", "1:Applied 2:Applied")]
    [InlineData("redo", "1:Applied 2:Applied")]
    public async Task A_broken_off_rollback_without_a_transaction_goes_on_whatever_it_has_dropped(string command, string status)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = BrokenOff();
        await folder.ApplyAsync(database);

        var problem = (await Should.ThrowAsync<ProblemException>(() => folder.RollbackAsync(database))).Problems[0];
        problem.Advice!.ShouldContain("undone in part");
        await database.ExecuteAsync("CREATE TABLE go ()");

        var run = await (command switch
        {
            "apply" => folder.ApplyAsync(database),
            "redo" => folder.Migrator(database).RedoAsync(new RedoRequest()),
            _ => folder.RollbackAsync(database),
        });
        run.Finished[0].Step.Direction.ShouldBe(MigrationDirection.Down);
        (await folder.StatusAsync(database)).ShouldBe(status);
        (await database.ScalarAsync<bool>(
            "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'k'::regclass AND attname = 'x')"))
            .ShouldBe(command != "rollback");
    }

    [Fact]
    public async Task A_broken_off_rollback_whose_down_was_edited_is_not_continued_by_apply()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = BrokenOff();
        await folder.ApplyAsync(database);
        await Should.ThrowAsync<ProblemException>(() => folder.RollbackAsync(database));
        folder.Write(2, "outside", "CREATE INDEX CONCURRENTLY k_v ON k (v);\nALTER TABLE k ADD COLUMN x int;", "DROP TABLE k;",
            " transaction:false", " transaction:false");

        (await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database))).Problems[0].Code.ShouldBe("CG0405");
        await database.ExecuteAsync("CREATE TABLE go ()");
        (await folder.RollbackAsync(database)).Finished.ShouldHaveSingleItem().Step.IsStored.ShouldBeTrue();
        (await folder.ApplyAsync(database)).Finished.Count.ShouldBe(1);
    }

    private static Folder BrokenOff() => new Folder().Write(1, "a", "CREATE TABLE k (v int, w int);", "DROP TABLE k;").Write(
        2, "outside", "CREATE INDEX CONCURRENTLY k_v ON k (v);\nALTER TABLE k ADD COLUMN x int;",
        "ALTER TABLE k DROP COLUMN x;\nSELECT 1 / (SELECT count(*) FROM pg_class WHERE relname = 'go');\nDROP INDEX CONCURRENTLY k_v;",
        " transaction:false", " transaction:false");

    [Theory]
    [InlineData("f", true)]
    [InlineData("g", true)]
    [InlineData("neither", false)]
    public async Task Of_two_files_with_one_number_the_one_that_was_applied_is_undone(string applied, bool isThere)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        string Sql(string name) => $"-- migrate:up\nCREATE TABLE {name} ();\n-- migrate:down\nDROP TABLE {name};\n";
        tool.Write($"migrations/0007_{applied}.sql", Sql(applied));
        (await tool.RunAsync("apply", "--no-bundle")).ExitCode.ShouldBe(ExitCode.Done);
        File.Delete(Path.Combine(tool.Folder, "migrations", $"0007_{applied}.sql"));
        tool.Write("migrations/0007_f.sql", Sql("f"));
        tool.Write("migrations/0007_g.sql", Sql("g"));

        (await tool.RunAsync("apply", "--no-bundle")).Error.ShouldContain("CG0305");
        var run = await tool.RunAsync("rollback", "--yes", "--no-bundle");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Error.ShouldContain($"rolled back 0007_{applied}");
        run.Error.Contains("the history has kept: 0007_f has its number now", StringComparison.Ordinal).ShouldBe(!isThere, run.Error);
        (await database.ScalarAsync<bool>($"SELECT to_regclass('{applied}') IS NULL")).ShouldBeTrue();
    }

    [Theory]
    [InlineData("0001_initial_schema.sql", "CREATE TABLE mine ();", "DROP TABLE mine;")]
    [InlineData("0001_mine.sql", "CREATE TABLE mine ();", "DROP TABLE mine;")]
    public async Task A_file_with_the_number_of_a_bundled_one_is_not_undone_in_its_place(string name, string up, string down)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        await tool.RunAsync("apply", "--to", "1");
        tool.Write($"migrations/{name}", $"-- migrate:up\n{up}\n-- migrate:down\n{down}\n");

        var run = await tool.RunAsync("rollback", "--yes");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        (await database.ScalarAsync<bool>("SELECT to_regclass('messages') IS NULL")).ShouldBeTrue();
    }

    [Fact]
    public async Task What_a_summary_counts_is_what_was_done()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = database.Url.Display } };
        tool.Write("migrations/0001_a.sql", "-- migrate:up\nCREATE TABLE a ();\n-- migrate:down\nDROP TABLE a;\n");

        (await tool.RunAsync("apply", "--no-bundle")).Out.ShouldStartWith("1 migration applied in ");
        (await tool.RunAsync("redo", "--yes", "--no-bundle")).Out.ShouldStartWith("1 migration applied again in ");
        (await tool.RunAsync("rollback", "--yes", "--no-bundle")).Out.ShouldStartWith("1 migration rolled back in ");
    }

    [Fact]
    public async Task A_repeatable_statement_that_failed_may_be_edited_and_runs_again()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "a", "CREATE TABLE a (id int);", "DROP TABLE a;")
            .Write(2, "fill", "INSERT INTO a VALUES (1);\nDO $$ BEGIN COMMIT; RAISE EXCEPTION 'edit me'; END $$;", "SELECT 1;",
                " transaction:false repeatable:true");
        await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database));

        folder.Write(2, "fill", "INSERT INTO a VALUES (1);\nDO $$ BEGIN COMMIT; INSERT INTO a VALUES (2); END $$;", "SELECT 1;",
            " transaction:false repeatable:true");

        (await folder.ApplyAsync(database)).Finished.Count.ShouldBe(1);
        (await database.ScalarAsync<long>("SELECT sum(id) FROM a")).ShouldBe(3);
    }

    [Fact]
    public async Task An_accepted_edit_is_what_was_applied_from_then_on()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().Write(1, "a", "CREATE TABLE a (id int);", "DROP TABLE a;");
        await folder.ApplyAsync(database);
        folder.Write(1, "a", "CREATE TABLE IF NOT EXISTS a (id int);", "DROP TABLE IF EXISTS a;");
        var migrator = folder.Migrator(database);

        (await migrator.ReadEditAsync(1)).Applied.ShouldBe("-- migrate:up\nCREATE TABLE a (id int);\n\n");
        await migrator.AcceptAsync(1);

        (await folder.StatusAsync(database)).ShouldBe("1:Applied");
        (await migrator.LogAsync()).Select(entry => entry.Action).ShouldBe(["applied", "accepted"]);
        (await Should.ThrowAsync<ProblemException>(() => migrator.AcceptAsync(1))).Problems[0].Code.ShouldBe("CG0417");
    }

    [Fact]
    public async Task The_log_has_who_did_what_when_and_what_failed_without_passwords()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new Folder().WriteTable(1, "a").Write(2, "role", "CREATE ROLE pg_of_mine PASSWORD 'hunter2';", "SELECT 1;");
        await Should.ThrowAsync<ProblemException>(() => folder.ApplyAsync(database));
        await folder.RollbackAsync(database);

        var log = await folder.Migrator(database).LogAsync();

        log.Select(entry => $"{entry.Action} {entry.Command} {entry.Version} {entry.DoneBy}").ShouldBe(
            [$"applied apply 1 {database.Url.UserName}", $"failed apply 2 {database.Url.UserName}",
                $"rolled_back rollback 1 {database.Url.UserName}"]);
        log[1].Error!.ShouldContain("SQLSTATE 42939");
        log[1].Statement!.ShouldBe("CREATE ROLE pg_of_mine PASSWORD '***'");
        log.ShouldAllBe(entry => entry.ToolVersion.Length > 0 && entry.At > DateTime.UtcNow.AddHours(-1));
        await using var role = await TestRole.CreateAsync(database);
        await database.ExecuteAsync($"GRANT USAGE ON SCHEMA chatgenius_db TO {role.Name}; GRANT SELECT ON chatgenius_db.format, "
            + $"chatgenius_db.history, chatgenius_db.journal TO {role.Name}");
        (await Should.ThrowAsync<ProblemException>(() => role.Migrator(folder).LogAsync())).Problems[0].Code.ShouldBe("CG0519");
        (await role.Migrator(folder).StatusAsync()).Count.ShouldBe(2);
    }
}
