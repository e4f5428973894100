using ChatGenius.Db.Safety;

namespace ChatGenius.Tests.Safety;

public class SafeWayTests
{
    [Theory]
    [InlineData("CREATE TABLE logs (line text)", "ALTER TABLE logs ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;")]
    [InlineData("CREATE TABLE numbered (id int)", "ALTER TABLE numbered ADD PRIMARY KEY (id);")]
    [InlineData("ALTER TABLE customers DROP CONSTRAINT customers_pkey CASCADE", "ALTER TABLE customers ADD PRIMARY KEY (id);")]
    public async Task A_table_without_a_key_gets_one_that_the_server_takes(string statement, string way)
    {
        await using var shop = await Shop.OpenAsync();

        var findings = await shop.CheckAsync($"{statement};");

        findings.Single(finding => finding.Hazard.Id == "S105").SafeWay.ShouldBe(way);
        await using var connection = await shop.Database.ConnectAsync();
        await using var command = new NpgsqlCommand(way, connection);
        await command.ExecuteNonQueryAsync();
    }
}
