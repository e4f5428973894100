using ChatGenius.Db.Imports;

namespace ChatGenius.Tests.Imports;

/// <summary>What single files become, and what is refused.</summary>
public class ImportReaderTests
{
    /// <summary>The tool, the file and its text; what its up and down become (~ is no transaction, none is no down).</summary>
    [Theory]
    [InlineData("dbmate", "1_a.sql", "\uFEFF-- c\n-- migrate:up\r\nSELECT 1;\r\n-- migrate:down\r\nSELECT 2;\r\n", "SELECT 1;\n",
        "SELECT 2;\n")]
    [InlineData("dbmate", "1_a.sql", "-- migrate:up\nSELECT '\r\n';\n-- migrate:down", "SELECT '\r\n';\n", "")]
    [InlineData("dbmate", "1_a.sql", "-- migrate:up\nBEGIN;\nSELECT 1;\nCOMMIT;\n-- migrate:down\n", "SELECT 1;\n", "")]
    [InlineData("dbmate", "1_a.sql", "-- migrate:up\nSELECT 1;\nCOMMIT;\nBEGIN;\nSELECT 2;\n-- migrate:down\n",
        "~BEGIN;\nSELECT 1;\nCOMMIT;\nBEGIN;\nSELECT 2;\nCOMMIT;\n", "")]
    [InlineData("dbmate", "1_a.sql", "-- migrate:up\nCOMMIT;\nCREATE INDEX CONCURRENTLY ON t (i);\nBEGIN;\n-- migrate:down\n",
        "~CREATE INDEX CONCURRENTLY ON t (i);\n", "")]
    [InlineData("dbmate", "1_a.sql", "-- migrate:up\nBEGIN;\nSELECT 1;\n-- migrate:down\n", "SELECT 1;\n", "")]
    [InlineData("goose", "1_a.sql", "-- +goose up\nSELECT 1; -- +goose\n", "SELECT 1; -- +goose\n", null)]
    [InlineData("goose", "1_a.sql",
        "-- +goose Up\n-- +goose StatementBegin\nSELECT 1\n-- +goose StatementEnd\n-- +goose StatementBegin\nSELECT 2\n-- +goose "
            + "StatementEnd\n",
        "SELECT 1\n;\nSELECT 2\n", null)]
    [InlineData("goose", "1_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;", "~SELECT 1;\n",
        "~SELECT 2;\n")]
    [InlineData("golang-migrate", "1_a.up.sql", "VACUUM;", "~VACUUM;\n", null)]
    [InlineData("golang-migrate", "1_a.up.sql", "BEGIN ISOLATION LEVEL SERIALIZABLE;SELECT 1;COMMIT;", null, null)]
    [InlineData("flyway", "V1__a.sql", "SELECT 1; -- ${x}", "SELECT 1; -- ${x}\n", null)]
    [InlineData("node-pg-migrate", "1_a.sql", "SELECT 1;", "SELECT 1;\n", null)]
    [InlineData("node-pg-migrate", "1_a.sql", "-- DOWN MIGRATION\nSELECT 2;\n  -- Up  Migration\nSELECT 1;", "SELECT 1;\n", "SELECT 2;\n")]
    public void Texts(string tool, string file, string text, string? up, string? down)
    {
        using var sandbox = new Sandbox();
        sandbox.Write(file, Encoding.UTF8.GetBytes(text));

        var read = ImportReader.Read(ImportTool.All.Single(one => one.Name == tool), sandbox.Path);

        if (up is null)
        {
            read.Problems.ShouldNotBeEmpty();
            return;
        }

        read.Problems.ShouldBeEmpty();
        var migration = read.Migrations.Single();
        migration.UpInTransaction.ShouldBe(!up.StartsWith('~'));
        migration.Up.ShouldBe(up.TrimStart('~'));
        migration.Down.ShouldBe(down?.TrimStart('~'));
        migration.DownInTransaction.ShouldBe(down?.StartsWith('~') != true);
    }

    /// <summary>The tool, the file and its text; the problem's code, its place and a word of the reason.</summary>
    [Theory]
    [InlineData("dbmate", "1_a.sql", "-- migrate:up\nSELECT 1;\n  -- migrate:down\n", "CG1503", 3, 3, "begins none")]
    [InlineData("dbmate", "1_a.sql", "SELECT 1;", "CG1503", 1, 1, "begins the up section")]
    [InlineData("dbmate", "1_a.sql", "SELECT 0;\n-- migrate:up\nSELECT 1;\n", "CG1503", 1, 1, "above the first section")]
    [InlineData("dbmate", "1_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:up\n-- migrate:down", "CG1503", 3, 1, "second time")]
    [InlineData("dbmate", "1_a.sql", "-- migrate:up\nSELECT $$\n-- migrate:down\n$$;\n", "CG1503", 3, 1, "inside a string")]
    [InlineData("dbmate", "1_a.sql", "-- migrate:up\nPREPARE TRANSACTION 'a';\n-- migrate:down", "CG1503", 2, 1, "continued")]
    [InlineData("goose", "1_a.sql", "-- +goose Down\nSELECT 1;\n", "CG1503", 1, 1, "no up section")]
    [InlineData("goose", "1_a.sql", "-- +goose ENVSUB ON\n-- +goose Up\nSELECT '${X}';\n", "CG1503", 1, 1, "environment")]
    [InlineData("goose", "1_a.sql", "-- +goose Up\n-- migrate:down\nSELECT 1;\n", "CG1503", 2, 1, "section of ours")]
    [InlineData("goose", "1_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nBEGIN;\nSELECT 1;\n", "CG1503", 3, 1, "does not end")]
    [InlineData("goose", "1_a.go", "package migrations", "CG1503", 0, 0, "is a program")]
    [InlineData("flyway", "V1__a.sql", "SELECT\n '${schema}';", "CG1503", 2, 3, "puts a value")]
    [InlineData("flyway", "B1__a.sql", "SELECT 1;", "CG1503", 0, 0, "instead of all before it")]
    [InlineData("flyway", "V1__a.sql", "\\set x 1\n", "CG0207", 1, 1, "psql")]
    [InlineData("flyway", "V1__a.sql", "SELECT 'a", "CG0201", 1, 8, "")]
    [InlineData("prisma", "migration_lock.toml", "provider = \"mysql\"", "CG1503", 0, 0, "not for PostgreSQL")]
    [InlineData("drizzle", "meta/_journal.json", "{ \"dialect\": \"postgresql\", \"entries\": [\n{ \"tag\": \"0000_a\" } ] }", "CG1503", 2,
        11, "not there")]
    [InlineData("drizzle", "meta/_journal.json", "{ \"dialect\": \"postgresql\"", "CG1503", 0, 0, "not a journal")]
    [InlineData("sqitch", "sqitch.plan", "%project=a\n\na 2024 A <a>\n", "CG1503", 3, 1, "not there")]
    [InlineData("atlas", "1_a.sql", "-- atlas:checkpoint\n\nSELECT 1;", "CG1503", 1, 1, "way of its own")]
    [InlineData("atlas", "README.md", "", "CG1501", 0, 0, "no migration of atlas")]
    public void What_cant_be_carried_over_is_refused_at_its_place(
        string tool, string file, string text, string code, int line, int column, string reason)
    {
        using var sandbox = new Sandbox();
        sandbox.Write(file, text);
        var facts = ImportTool.All.Single(one => one.Name == tool);

        var problem = (code == "CG1501" ? Should.Throw<ProblemException>(() => ImportReader.Read(facts, sandbox.Path)).Problems
            : ImportReader.Read(facts, sandbox.Path).Problems)[0];

        problem.Code.ShouldBe(code);
        problem.Message.ShouldContain(reason);
        (problem.Where?.Line ?? 0, problem.Where?.Column ?? 0).ShouldBe((line, column));
    }

    [Theory]
    [InlineData("SELECT :'x';", true)]
    [InlineData("SELECT * FROM :\"x\";", true)]
    [InlineData("SELECT :x;", true)]
    [InlineData("SELECT a[1:n], b::text, c[:n], ':x', $$:x$$ FROM t;", false)]
    public void Variables_of_psql_are_refused_where_psql_replaces_them(string sql, bool refused)
    {
        using var sandbox = new Sandbox();
        sandbox.Write("sqitch.plan", "a 2024 A <a>\n");
        sandbox.Write("deploy/a.sql", sql);

        ImportReader.Read(ImportTool.All.Single(one => one.Name == "sqitch"), sandbox.Path).Problems.Count.ShouldBe(refused ? 1 : 0);
    }

    /// <summary>psql has no transaction of its own: what a change says is what runs.</summary>
    [Theory]
    [InlineData("CREATE INDEX CONCURRENTLY ON t (i);", false)]
    [InlineData("ALTER TYPE e ADD VALUE 'x'; INSERT INTO t VALUES ('x');", false)]
    [InlineData("SELECT 1; SELECT 2;", true)]
    [InlineData("BEGIN; SELECT 1; COMMIT;", true)]
    [InlineData("SELECT 1; BEGIN; SELECT 2; COMMIT;", false)]
    [InlineData("BEGIN; SELECT 1;", null)]
    public void A_change_of_sqitch_runs_as_in_psql(string sql, bool? inTransaction)
    {
        using var sandbox = new Sandbox();
        sandbox.Write("sqitch.plan", "a 2024 A <a>\n");
        sandbox.Write("deploy/a.sql", sql);

        var read = ImportReader.Read(ImportTool.All.Single(one => one.Name == "sqitch"), sandbox.Path);

        read.Problems.Count.ShouldBe(inTransaction is null ? 1 : 0);
        (inTransaction is null ? null : (bool?)read.Migrations.Single().UpInTransaction).ShouldBe(inTransaction);
    }

    [Fact]
    [Trait("Needs", "Unix")]
    public void A_link_to_a_folder_is_not_followed_and_one_to_a_file_is()
    {
        using var sandbox = new Sandbox();
        File.CreateSymbolicLink(sandbox.Combine("V1__a.sql"), sandbox.Write("real.txt", "SELECT 1;"));
        Directory.CreateSymbolicLink(sandbox.Combine("round"), sandbox.Path);

        ImportReader.Read(ImportTool.All.Single(one => one.Name == "flyway"), sandbox.Path).Migrations.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("[core]\n\ttop_dir = ./sql/ # where\n", "sqitch.plan", "sql/deploy/a.sql", "sql/deploy/a@v1.sql", "sql/revert/b.sql")]
    [InlineData("[core]\ntop_dir = db\n[engine \"pg\"]\ntop_dir=\"sql\"\n", "sql/sqitch.plan", "sql/deploy/a.sql", "sql/deploy/a@v1.sql",
        "sql/revert/b.sql")]
    [InlineData("[core]\nplan_file = db/my.plan\ndeploy_dir = up\nrevert_dir = down\nextension = ddl\nreworked_dir = old\n"
        + "[engine \"mysql\"]\ndeploy_dir = no\n", "db/my.plan", "up/a.ddl", "old/deploy/a@v1.ddl", "down/b.ddl")]
    public void The_folders_of_sqitch_are_those_of_its_settings(string settings, string plan, string again, string first, string revert)
    {
        using var sandbox = new Sandbox();
        sandbox.Write("sqitch.conf", settings);
        sandbox.Write(plan, "a 2024 A <a>\nb 2024 A <a>\n@v1 2024 A <a>\na 2024 A <a>\n");
        sandbox.Write(again, "SELECT 1;\n");
        sandbox.Write(first, "SELECT 2;\n");
        sandbox.Write(revert, "SELECT 3;\n");
        sandbox.Write(revert.Replace("revert", "deploy", StringComparison.Ordinal).Replace("down", "up", StringComparison.Ordinal),
            "SELECT 4;\n");

        var read = ImportReader.Read(ImportTool.All.Single(one => one.Name == "sqitch"), sandbox.Path);

        read.Problems.ShouldBeEmpty();
        read.Migrations.Select(one => (one.Up.Trim(), one.Down?.Trim() ?? "")).ShouldBe(
            [("SELECT 2;", ""), ("SELECT 4;", "SELECT 3;"), ("SELECT 1;", "")]);
    }

    [Fact]
    public void A_change_of_sqitch_that_is_planned_again_has_the_files_of_its_tag_before()
    {
        using var sandbox = new Sandbox();
        sandbox.Write("sqitch.plan", "%project=p\n\na 2024 A <a>\nb [a] 2024 A <a>\n@v1 2024 A <a>\n\na [a@v1] 2024 A <a> # again\n");
        sandbox.Write("deploy/a.sql", "SELECT 3;");
        sandbox.Write("deploy/a@v1.sql", "SELECT 1;");
        sandbox.Write("deploy/b.sql", "SELECT 2;");
        sandbox.Write("revert/a.sql", "SELECT -3;");

        var read = ImportReader.Read(ImportTool.All.Single(one => one.Name == "sqitch"), sandbox.Path);

        read.Migrations.Select(one => one.Up).ShouldBe(["SELECT 1;\n", "SELECT 2;\n", "SELECT 3;\n"]);
        read.Migrations.Select(one => one.Down).ShouldBe([null, null, "SELECT -3;\n"]);
        read.Migrations.Select(one => one.Key).ShouldBe(["a", "b", "a"]);
    }
}
