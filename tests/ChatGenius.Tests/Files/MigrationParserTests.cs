using ChatGenius.Db.Safety;
using ChatGenius.Db.Text;

namespace ChatGenius.Tests.Files;

public class MigrationParserTests
{
    [Fact]
    public void A_file_becomes_a_migration()
    {
        var migration = Parse("-- adds t\n-- migrate:up transaction:false\ncreate table t ();\n\n-- migrate:down\ndrop table t;\n",
            "migrations/0012_add_t.sql");

        (migration.Version, migration.Name, migration.Id, migration.Origin).ShouldBe((12, "add_t", "0012_add_t", MigrationOrigin.Folder));
        migration.Up.Transactional.ShouldBeFalse();
        migration.Up.Where.ToString().ShouldBe("migrations/0012_add_t.sql:2:1");
        migration.Up.Script.Statements.ShouldHaveSingleItem().Text.ShouldBe("create table t ()");
        migration.Up.Text.ShouldBe("-- migrate:up transaction:false\ncreate table t ();\n\n");
        migration.Down.Transactional.ShouldBeTrue();
        migration.Down.Irreversible.ShouldBeFalse();
        migration.Down.Text.ShouldBe("-- migrate:down\ndrop table t;\n");
    }

    [Fact]
    public void What_is_kept_to_be_shown_has_no_passwords_no_masses_of_rows_and_no_more_than_anybody_reads()
    {
        var rows = string.Concat(Enumerable.Range(1, 2000).Select(i => $"{i}\tä\n"));
        Parse($"""
            -- migrate:up
            CREATE ROLE r PASSWORD 'S3cret';
            COPY few FROM stdin;
            1
            \.
            COPY many FROM stdin;
            {rows}\.
            SELECT 1;
            -- migrate:down
            DROP ROLE r;

            """).Up.Shown.ShouldBe($"""
            -- migrate:up
            CREATE ROLE r PASSWORD '***';
            COPY few FROM stdin;
            1
            \.
            COPY many FROM stdin;
            ({System.Text.Encoding.UTF8.GetByteCount(rows)} bytes of rows)
            \.
            SELECT 1;

            """);
        Parse($"-- migrate:up\nSELECT '{new string('x', 2_000_000)}';\n-- migrate:down irreversible:true\n").Up.Shown.ShouldBeNull();
    }

    [Theory]
    [InlineData("-- migrate:up\n-- migrate:down")]
    [InlineData("--migrate:up\n--migrate:down\n")]
    [InlineData("--\t migrate:up \t\n--  migrate:down\t\n")]
    [InlineData("\r\n-- about\r\n/* and more */\r\n-- migrate:up\r\n-- migrate:down\r\n")]
    [InlineData("-- migrate:up transaction:true\n-- nothing to do\n-- migrate:down transaction:false irreversible:false\n")]
    public void What_dbmate_takes_for_a_section_is_one(string text)
    {
        var migration = Parse(text);

        migration.Up.Script.Statements.ShouldBeEmpty();
        migration.Down.Script.Statements.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("-- migrate:up\nselect '\n-- migrate:down\n';\n-- migrate:down\nselect 2;")]
    [InlineData("-- migrate:up\nselect $$\n-- migrate:down\n$$;\n-- migrate:down\nselect 2;")]
    [InlineData("-- migrate:up\nselect 1 /*\n-- migrate:down\n*/;\n-- migrate:down\nselect 2;")]
    [InlineData("-- migrate:up\ncopy t from stdin;\n-- migrate:down\n\\.\n-- migrate:down\nselect 2;")]
    [InlineData("-- migrate:up\nselect \"\n-- migrate:down\n\";\n-- migrate:down\nselect 2;")]
    [InlineData(
        "-- migrate:up\nselect 1; -- migrate:down is below\n-- migrate to the new form\n-- see migrate:down\n-- migrate:down\nselect 2;")]
    [InlineData("-- migrate:up\nselect 1\n-- migrate:down\nselect 2")]
    public void A_directive_counts_only_at_the_start_of_a_line_outside_strings_and_comments(string text)
    {
        var migration = Parse(text);

        migration.Up.Script.Statements.ShouldHaveSingleItem();
        migration.Down.Script.Statements.ShouldHaveSingleItem().Text.ShouldBe("select 2");
    }

    [Theory]
    [InlineData("", "CG0307 CG0308")]
    [InlineData("-- migrate:up\nselect 1;", "CG0308")]
    [InlineData("-- migrate:down\nselect 1;", "CG0307")]
    [InlineData("select 1;", "CG0307 CG0308")]
    [InlineData("-- migrate:down\nselect 1;\n-- migrate:up\nselect 1;", "CG0310")]
    [InlineData("-- migrate:up\n-- migrate:up\n-- migrate:down\n-- migrate:down", "CG0309:2:1 CG0309:4:1")]
    [InlineData("-- x\nselect 1;\n-- migrate:up\n-- migrate:down", "CG0311:2:1")]
    [InlineData("-- migrate:up\nselect 1;\n-- migrate:dwon\nselect 2;", "CG0312:3:1")]
    [InlineData("-- migrate:up\nselect 1;\n  -- migrate:down\nselect 2;", "CG0312:3:3")]
    [InlineData("-- Migrate:Up\n-- migrate: up\n-- migrate :up\n-- migrate:upx\n-- migrate:up;\n-- MIGRATE:DOWN",
        "CG0312:1:1 CG0312:2:1 CG0312:3:1 CG0312:4:1 CG0312:5:1 CG0312:6:1")]
    [InlineData("-- migrate:up transacton:false\n-- migrate:down transaction:no transaction x:y",
        "CG0313:1:15 CG0314:2:17 CG0314:2:32 CG0313:2:44")]
    [InlineData("-- migrate:up transaction:false transaction:true\n-- migrate:down", "CG0314:1:33")]
    [InlineData("-- migrate:up irreversible:true\n-- migrate:down", "CG0315:1:1")]
    [InlineData("-- migrate:up\nselect 1;\n-- migrate:down irreversible:true\n-- no way back\nselect 2;", "CG0316:5:1")]
    [InlineData("-- migrate:up\nselect 1;\n-- migrate:down\n-- forgotten", "CG0317:3:1")]
    [InlineData("-- migrate:up\nbegin;\nselect 1;\n commit;\n-- migrate:down\nselect 1;", "CG0318:2:1 CG0318:4:2")]
    [InlineData("-- migrate:up transaction:false\nbegin;\ncommit and chain;\nrollback and no chain;\n-- migrate:down\nselect 1;",
        "CG0319:3:1")]
    [InlineData("-- migrate:up\nselect 'a;\n-- migrate:down\nselect 1;", "CG0201:2:8")]
    [InlineData("-- migrate:up\n\\set x 1\nselect (1;\n-- migrate:down x:y\n\\i f\n", "CG0207:2:1 CG0205:3:8 CG0313:4:17 CG0207:5:1")]
    [InlineData("-- migrate:up\ncopy t from stdin;\n1\n-- migrate:down\nselect 1;", "CG0208:2:1")]
    [InlineData("-- migrate:up\nselect '\0';\n-- migrate:down\nselect 1;\n", "CG0211:2:9")]
    public void What_is_wrong_is_said_all_at_once_with_its_places(string text, string expected)
    {
        var problems = Should.Throw<ProblemException>(() => Parse(text)).Problems;

        problems.Count.ShouldBe(expected.Split(' ').Length);
        foreach (var (problem, prefix) in problems.Zip(expected.Split(' ')))
        {
            $"{problem.Code}:{problem.Where!.Line}:{problem.Where.Column}".ShouldStartWith(prefix);
            problem.Advice.ShouldNotBeNullOrEmpty();
        }
    }

    [Fact]
    public void A_section_in_batches_says_how()
    {
        var section = Parse("-- migrate:up batch:S.\"Ta\"\nselect 1;\n"
            + "update t set n = 1 where id between :batch_first and :batch_last;\n-- migrate:down batch:t key:a,\"B\" size:500 pause:2s "
            + "target:1min until:none\ndelete from t where (a, \"B\") between :batch_first and :batch_last;\n");

        section.Up.Transactional.ShouldBeFalse();
        var (up, down) = (section.Up.Batch!, section.Down.Batch!);
        (up.Table, up.Key.Count, up.Statement, up.Size, up.Pause, up.Target, up.UntilNone)
            .ShouldBe(("s.\"Ta\"", 0, 1, null, TimeSpan.Zero, TimeSpan.FromMilliseconds(100), false));
        (down.Table, string.Join(' ', down.Key), down.Statement, down.Size, down.Pause, down.Target, down.UntilNone)
            .ShouldBe(("t", "a B", 0, 500, TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(1), true));
    }

    [Theory]
    [InlineData("size:5 key:id", "select 1", "CG0321:1:15 CG0321:1:22")]
    [InlineData("", "select :batch_first", "CG0322:2:8")]
    [InlineData("batch:", "~", "CG0321:1:15")]
    [InlineData("batch:a.b.c", "~", "CG0321:1:15")]
    [InlineData("batch:a-b", "~", "CG0321:1:15")]
    [InlineData("batch:t key:", "~", "CG0321:1:23")]
    [InlineData("batch:t key:a,a", "~", "CG0321:1:23")]
    [InlineData("batch:t size:0", "~", "CG0321:1:23")]
    [InlineData("batch:t size:ten", "~", "CG0321:1:23")]
    [InlineData("batch:t target:0s", "~", "CG0321:1:23")]
    [InlineData("batch:t pause:1", "~", "CG0321:1:23")]
    [InlineData("batch:t until:done", "~", "CG0321:1:23")]
    [InlineData("batch:t batch:u", "~", "CG0314:1:23")]
    [InlineData("batch:t transaction:false", "~", "CG0321:1:1")]
    [InlineData("batch:t", "update t set n = 1", "CG0322:1:1")]
    [InlineData("batch:t", "update t set n = 1 where id >= :batch_first", "CG0322:2:32")]
    [InlineData("batch:t", "update t set n = ':batch_first :batch_last' /* :batch_first */", "CG0322:1:1")]
    [InlineData("batch:t", "select :batch_first, :batch_last", "CG0322:2:1")]
    [InlineData("batch:t", "update t set n = 1 where id between :batch_first and :batch_end", "CG0322:2:37 CG0322:2:54")]
    [InlineData("batch:t", "~;\n~", "CG0322:3:37")]
    [InlineData("batch:t", "begin;\n~", "CG0323:2:1")]
    public void What_is_wrong_with_batches_is_said_with_its_place(string options, string statements, string expected)
    {
        var sql = statements.Replace("~", "update t set n = 1 where id between :batch_first and :batch_last", StringComparison.Ordinal);

        var problems = Should.Throw<ProblemException>(() => Parse($"-- migrate:up {options}\n{sql};\n-- migrate:down\nselect 1;")).Problems;

        string.Join(' ', problems.Select(problem => $"{problem.Code}:{problem.Where!.Line}:{problem.Where.Column}")).ShouldBe(expected);
        problems.ShouldAllBe(problem => problem.Advice!.Length > 0);
    }

    [Fact]
    public void An_unknown_option_is_underlined()
    {
        var problem = Should.Throw<ProblemException>(() => Parse("-- migrate:up transacton:false\n-- migrate:down"))
            .Problems.ShouldHaveSingleItem();

        problem.Message.ShouldBe("There is no option \"transacton\"");
        (problem.Where!.Column, problem.Where.Width).ShouldBe((15, "transacton:false".Length));
    }

    [Fact]
    public void Transactions_may_be_controlled_where_there_is_none_around()
    {
        Parse("-- migrate:up transaction:false\nbegin; select 1; commit;\n-- migrate:down irreversible:true\n-- gone")
            .Down.Irreversible.ShouldBeTrue();
    }

    [Theory]
    [InlineData("0001_a.sql", 1, "a")]
    [InlineData("/some/where/20260131123456_add_2nd_table.sql", 20260131123456, "add_2nd_table")]
    [InlineData("000000000000000000000000000007_x_.sql", 7, "x_")]
    [InlineData("999999999999999999_a.sql", 999999999999999999, "a")]
    public void A_file_name_is_a_number_and_a_description(string path, long version, string name)
    {
        var migration = Parse("-- migrate:up\n-- migrate:down", path);

        (migration.Version, migration.Name).ShouldBe((version, name));
    }

    [Theory]
    [InlineData("001_a.sql", "CG0303")]
    [InlineData("0001-a.sql", "CG0303")]
    [InlineData("0001_.sql", "CG0303")]
    [InlineData("0001_-a.sql", "CG0303")]
    [InlineData("0001_a.b.sql", "CG0303")]
    [InlineData("0001_ä.sql", "CG0303")]
    [InlineData("0001_a.SQL", "CG0303")]
    [InlineData("0001_a;b.sql", "CG0303")]
    [InlineData("0001_a.sql\n", "CG0303")]
    [InlineData("٠٠٠١_a.sql", "CG0303")]
    [InlineData("seed.sql", "CG0303")]
    [InlineData("0000_a.sql", "CG0304")]
    [InlineData("1000000000000000000_a.sql", "CG0304")]
    [InlineData("99999999999999999999999999_a.sql", "CG0304")]
    public void Another_file_name_is_a_problem_that_names_it(string path, string code)
    {
        var problem = Should.Throw<ProblemException>(() => Parse("-- migrate:up\n-- migrate:down", path)).Problems.ShouldHaveSingleItem();

        problem.Code.ShouldBe(code);
        problem.Message.ShouldContain(path);
    }

    [Fact]
    public void The_checksum_is_that_of_the_tokens()
    {
        var checksum = Parse("-- migrate:up\ncreate table t (a int);\n-- migrate:down\ndrop table t;").Up.Checksum;

        checksum.ShouldMatch("^[0-9a-f]{64}$");
        Parse("-- a\r\n-- migrate:up transaction:true\r\n\r\n/* b */ create table t(a int)\r\n-- migrate:down\r\ndrop table t cascade;")
            .Up.Checksum.ShouldBe(checksum);
        Parse("-- migrate:up\ncreate table t (a int) ; ;\n-- migrate:down\ndrop table t;").Up.Checksum.ShouldBe(checksum);
        Parse("-- migrate:up\ncreate table T (a int);\n-- migrate:down\ndrop table t;").Up.Checksum.ShouldNotBe(checksum);
        Parse("-- migrate:up\ncreate table t; (a int);\n-- migrate:down\ndrop table t;").Up.Checksum.ShouldNotBe(checksum);
    }

    [Fact]
    public void The_checksum_never_changes_between_versions()
    {
        // This value stands in people's databases: if it changes, every migration that they have applied looks edited.
        Parse("-- migrate:up\nselect 'a' /* b */ , $$c$$;\ncopy t from stdin;\n1\n\\.\nselect 'a'\n'b'\n-- migrate:down "
            + "irreversible:true\n").Up.Checksum
            .ShouldBe("d453619f91a2a5607845d342a389ec245566e5be01f5992654d0c17e3a31720f");
    }

    [Theory]
    [InlineData("select 'a\nb'", "select 'a\r\nb'", true)]
    [InlineData("copy t from stdin;\n1\n\\.\n", "copy t from stdin;\r\n1\r\n\\.\r\n", true)]
    [InlineData("copy t from stdin;\n1\n\\.\n", "copy t from stdin;\n1\n\n\\.\n", false)]
    [InlineData("copy t from stdin;\n1\n\\.\nselect 2", "copy t from stdin;\nselect 2;\n1\n\\.\n", false)]
    [InlineData("select 'a' \n 'b'", "select 'a' -- c\r\n'b'", true)]
    [InlineData("select 'a'\n'b'", "select 'a' 'b'", false)]
    [InlineData("select ab", "select a b", false)]
    [InlineData("select 1; select 2", "select 1 select 2", false)]
    [InlineData("select a=-1", "select a = - 1", true)]
    public void Line_endings_do_not_count_and_line_breaks_do(string one, string other, bool same)
    {
        (ChecksumOf(one) == ChecksumOf(other)).ShouldBe(same);
    }

    [Fact]
    public void A_stored_section_is_read_back_as_it_was()
    {
        var down = Parse("-- migrate:up\nselect 1;\n-- migrate:down transaction:false\ndrop index concurrently i;\r\n-- it's gone\n").Down;

        var stored = MigrationParser.ParseSection(SourceText.From("history of 0001_t (down)", down.Text));

        (stored.Checksum, stored.Transactional, stored.Irreversible, stored.Text).ShouldBe((down.Checksum, false, false, down.Text));
        stored.Script.Statements.ShouldHaveSingleItem().Text.ShouldBe("drop index concurrently i");
    }

    [Theory]
    [InlineData("drop table t;", "CG0307")]
    [InlineData("-- migrate:down\nselect '", "CG0201")]
    public void A_stored_section_that_was_tampered_with_is_a_problem(string text, string code)
    {
        Should.Throw<ProblemException>(() => MigrationParser.ParseSection(SourceText.From("history", text))).Problems[0]
            .Code.ShouldBe(code);
    }

    [Fact]
    public void A_byte_order_mark_and_CRLF_make_no_difference()
    {
        byte[] bytes = [.. Encoding.UTF8.Preamble, .. "-- migrate:up\r\nselect 1;\r\n-- migrate:down\r\nselect 2;\r\n"u8];

        var migration = MigrationParser.Parse(SourceText.From("0001_a.sql", bytes), MigrationOrigin.Folder);

        migration.Up.Checksum.ShouldBe(ChecksumOf("select 1"));
        migration.Down.Where.Line.ShouldBe(3);
    }

    private static string ChecksumOf(string up) => Parse($"-- migrate:up transaction:false\n{up}\n-- migrate:down\nselect 0;").Up.Checksum;

    private static Migration Parse(string text, string path = "migrations/0001_t.sql") =>
        MigrationParser.Parse(SourceText.From(path, text), MigrationOrigin.Folder);
}
