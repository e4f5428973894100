using System.Runtime.Versioning;
using ChatGenius.Db.Server;

namespace ChatGenius.Tests.Server;

[UnsupportedOSPlatform("windows")]
[Trait("Needs", "Unix")]
public class DatabaseBackupTests
{
    private const UnixFileMode Executable = (UnixFileMode)0b111_101_101;

    private static string RealPrograms => Path.GetDirectoryName(Psql.Find("pg_dump"))!;

    [Fact]
    public async Task What_was_backed_up_restores_to_the_same()
    {
        await using var db = await ShopAsync();
        await using var other = await TestDatabase.CreateAsync();
        using var sandbox = new Sandbox();

        var backup = await DatabaseBackup.PrepareAsync(db.Database);
        var file = await backup.MakeAsync(sandbox.Combine("a/b"), 7);
        await RestoreAsync(other, file.Path);

        Path.GetFileName(file.Path).ShouldMatch(@"^cg_test_\w+_\d{8}T\d{9}Z_before_0007\.dump$");
        file.Bytes.ShouldBe(new FileInfo(file.Path).Length);
        Directory.GetFiles(sandbox.Combine("a/b")).ShouldBe([file.Path]);
        File.GetUnixFileMode(file.Path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        (await other.ScalarAsync<string>("SELECT string_agg(name, ',' ORDER BY id) FROM item")).ShouldBe("ä,b");
    }

    [Fact]
    public async Task A_chosen_folder_without_pg_dump_is_a_problem_before_anything_is_written()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var sandbox = new Sandbox();

        var e = await Should.ThrowAsync<ProblemException>(() => DatabaseBackup.PrepareAsync(db.Database, sandbox.Path));

        e.Problems.ShouldHaveSingleItem().Code.ShouldBe("CG1301");
    }

    [Fact]
    public async Task A_pg_dump_that_is_older_than_the_server_is_not_taken()
    {
        using var sandbox = new Sandbox();
        Program(sandbox, "pg_dump", "echo 'pg_dump (PostgreSQL) 9.6.24'");
        Program(sandbox, "pg_restore", "exit 1");

        var e = await Should.ThrowAsync<ProblemException>(() => ClientPrograms.FindAsync(sandbox.Path, 10, CancellationToken.None));
        var none = await Should.ThrowAsync<ProblemException>(() => ClientPrograms.FindAsync("", 99, CancellationToken.None));

        e.Problems.ShouldHaveSingleItem().Message.ShouldContain("pg_dump 9.6.24, and the server is PostgreSQL 10");
        none.Problems.ShouldHaveSingleItem().Code.ShouldBe("CG1302");
        none.Problems[0].Advice!.ShouldContain(PostgresBinaries.Variable);
    }

    [Fact]
    public async Task Programs_are_looked_for_where_none_are_chosen()
    {
        var programs = await ClientPrograms.FindAsync("", 13, CancellationToken.None);

        File.Exists(programs.PgDump).ShouldBeTrue();
        File.Exists(programs.PgRestore).ShouldBeTrue();
        programs.Version.ShouldStartWith($"{programs.Major}.");
    }

    [Fact]
    public async Task A_table_that_may_not_be_read_fails_the_backup_and_leaves_no_file()
    {
        await using var db = await ShopAsync();
        await db.ExecuteAsync(
            "ALTER TABLE item ENABLE ROW LEVEL SECURITY; ALTER TABLE item FORCE ROW LEVEL SECURITY; CREATE SCHEMA hidden; CREATE TABLE "
            + "hidden.t ()");
        var role = $"cg_backup_{Guid.NewGuid():N}";
        await db.ExecuteAsync($"CREATE ROLE {role} LOGIN PASSWORD 's3cret'");
        using var sandbox = new Sandbox();
        try
        {
            var backup = await DatabaseBackup.PrepareAsync(new Database(With(db, b => (b.Username, b.Password) = (role, "s3cret"))));
            var e = await Should.ThrowAsync<ProblemException>(() => backup.MakeAsync(sandbox.Path, 1));

            e.Problems.ShouldHaveSingleItem().Code.ShouldBe("CG1303");
            e.Message.ShouldContain("permission denied");
            e.Message.ShouldNotContain("s3cret");
            Directory.GetFileSystemEntries(sandbox.Path).ShouldBeEmpty();
        }
        finally
        {
            await db.ExecuteAsync($"DROP ROLE {role}");
        }
    }

    [Fact]
    public async Task The_password_is_in_the_environment_and_not_on_the_command_line()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var sandbox = new Sandbox();
        Program(sandbox, "pg_dump",
            $"[ \"$1\" = --version ] && exec '{RealPrograms}/pg_dump' --version; echo \"$@\"; env; echo \"seen: $PGPASSWORD $# $@\" >&2; "
            + "exit 1");
        Program(sandbox, "pg_restore", "exit 1");
        var password = new NpgsqlConnectionStringBuilder(db.Url.ConnectionString).Password ?? "s3cret";

        var backup = await DatabaseBackup.PrepareAsync(new Database(With(db, b => b.Password = password)), sandbox.Path);
        var e = await Should.ThrowAsync<ProblemException>(() => backup.MakeAsync(sandbox.Combine("to"), 1));

        e.Message.ShouldContain($"seen: {password} 3 --format=custom --no-password --file=");
        e.Message.Split(password).Length.ShouldBe(2);
    }

    [Fact]
    public async Task A_disk_that_takes_no_more_fails_the_backup_and_leaves_no_file()
    {
        await using var db = await ShopAsync();
        await db.ExecuteAsync("INSERT INTO item (name) SELECT md5(i::text) FROM generate_series(1, 5000) i");
        using var sandbox = new Sandbox();

        // A limit for the size of files, whose signal is ignored, is met by the write itself: the same way out of it as for a full disk.
        Program(sandbox, "pg_dump", $"trap '' XFSZ; ulimit -f 16; exec '{RealPrograms}/pg_dump' \"$@\"");
        Program(sandbox, "pg_restore", $"exec '{RealPrograms}/pg_restore' \"$@\"");

        var backup = await DatabaseBackup.PrepareAsync(db.Database, sandbox.Path);
        var e = await Should.ThrowAsync<ProblemException>(() => backup.MakeAsync(sandbox.Combine("to"), 1));

        e.Problems.ShouldHaveSingleItem().Code.ShouldBe("CG1303");
        Directory.GetFileSystemEntries(sandbox.Combine("to")).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_archive_that_can_t_be_read_back_is_no_backup()
    {
        await using var db = await ShopAsync();
        using var sandbox = new Sandbox();
        Program(sandbox, "pg_dump",
            $"'{RealPrograms}/pg_dump' \"$@\" || exit; for a; do case $a in --file=*) head -c 100 \"${{a#--file=}}\" > "
            + $"'{sandbox.Path}/cut'; cat '{sandbox.Path}/cut' > \"${{a#--file=}}\";; esac; done");
        Program(sandbox, "pg_restore", $"exec '{RealPrograms}/pg_restore' \"$@\"");

        var backup = await DatabaseBackup.PrepareAsync(db.Database, sandbox.Path);
        var e = await Should.ThrowAsync<ProblemException>(() => backup.MakeAsync(sandbox.Combine("to"), 1));

        e.Problems.ShouldHaveSingleItem().Code.ShouldBe("CG1305");
        Directory.GetFileSystemEntries(sandbox.Combine("to")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_folder_that_is_a_file_is_a_problem()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var sandbox = new Sandbox();
        var file = sandbox.Write("file", "");

        var backup = await DatabaseBackup.PrepareAsync(db.Database);
        var e = await Should.ThrowAsync<ProblemException>(() => backup.MakeAsync(file, 1));

        e.Problems.ShouldHaveSingleItem().Code.ShouldBe("CG1304");
    }

    [Fact]
    public async Task A_cancelled_backup_leaves_neither_a_file_nor_a_session()
    {
        await using var db = await ShopAsync();
        using var sandbox = new Sandbox();
        using var cancellation = new CancellationTokenSource();
        await using var holder = await db.ConnectAsync();
        await using var hold = new NpgsqlCommand("BEGIN; LOCK TABLE item IN ACCESS EXCLUSIVE MODE", holder);
        await hold.ExecuteNonQueryAsync();

        var backup = await DatabaseBackup.PrepareAsync(db.Database);
        var making = backup.MakeAsync(sandbox.Path, 1, progress: null, cancellation.Token);
        await WaitForSessionsAsync(db, 1);
        await cancellation.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => making);
        Directory.GetFileSystemEntries(sandbox.Path).ShouldBeEmpty();
        await WaitForSessionsAsync(db, 0);
    }

    private static async Task WaitForSessionsAsync(TestDatabase db, long count)
    {
        const string Waiting =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pg_dump' AND "
            + "wait_event_type = 'Lock'";
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (await db.ScalarAsync<long>(Waiting) != count)
        {
            await Task.Delay(20, patience.Token);
        }
    }

    private static async Task<TestDatabase> ShopAsync()
    {
        var db = await TestDatabase.CreateAsync();
        await db.ExecuteAsync(
            "CREATE TABLE item (id int GENERATED ALWAYS AS IDENTITY, name text); INSERT INTO item (name) VALUES ('ä'), ('b')");
        return db;
    }

    private static async Task RestoreAsync(TestDatabase db, string file)
    {
        await using var restore = ToolProcess.StartProcess(
            Psql.Find("pg_restore"), ["--exit-on-error", "-d", db.Url.DatabaseName, file], workingDirectory: null,
            db.Url.LibpqEnvironment()!, input: null);
        var result = await restore.ExitAsync();
        result.ExitCode.ShouldBe(0, result.Error);
    }

    private static DatabaseUrl With(TestDatabase db, Action<NpgsqlConnectionStringBuilder> change)
    {
        var builder = new NpgsqlConnectionStringBuilder(db.Url.ConnectionString);
        change(builder);
        return DatabaseUrl.Parse(builder.ConnectionString, environment: _ => null);
    }

    private static void Program(Sandbox sandbox, string name, string script) =>
        File.SetUnixFileMode(sandbox.Write(name, $"#!/bin/sh\n{script}\n"), Executable);
}
