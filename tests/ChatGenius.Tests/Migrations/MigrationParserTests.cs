using ChatGenius.Db;
using ChatGenius.Db.Migrations;
using ChatGenius.Db.Text;

namespace ChatGenius.Tests.Migrations;

public class MigrationParserTests
{
    [Fact]
    public void A_file_becomes_a_migration()
    {
        var migration = Parse("-- adds t\n-- migrate:up transaction:false\ncreate table t ();\n\n-- migrate:down\ndrop table t;\n", "migrations/0012_add_t.sql");

        (migration.Version, migration.Name, migration.Id, migration.Origin).ShouldBe((12, "add_t", "0012_add_t", MigrationOrigin.Folder));
        migration.Up.Transactional.ShouldBeFalse();
        migration.Up.Where.Line.ShouldBe(2);
        migration.Up.Script.Statements.ShouldHaveSingleItem().Text.ShouldBe("create table t ()");
        migration.Down.Transactional.ShouldBeTrue();
        migration.Down.Irreversible.ShouldBeFalse();
        migration.Down.Text.ShouldBe("-- migrate:down\ndrop table t;\n");
    }

    private static Migration Parse(string text, string path = "migrations/0001_t.sql") => MigrationParser.Parse(SourceText.From(path, text), MigrationOrigin.Folder);
}
