using System.Text.RegularExpressions;
using ChatGenius.Db.Safety;
using ChatGenius.Db.Sql;

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

    /// <summary>
    /// Runs the SQL of a safe way, a transaction for each migration that it speaks of, in the place of the statement that was reported, and
    /// where that does not go, after it.
    /// </summary>
    /// <returns>What the server said in both places; empty where it took it.</returns>
    internal static async Task<IEnumerable<string>> RefusedAsync(Hazard hazard, RuleExample example, string way, bool onNewest)
    {
        // The definition of one column.
        way = way.Contains(';', StringComparison.Ordinal) ? way : $"CREATE TABLE defined ({way});";
        way.ShouldNotContain('\u2026', $"{hazard.Id}: {way}");
        var said = new List<string>();
        foreach (var after in (bool[])[false, true])
        {
            await using var shop = await Shop.OpenAsync(hazard.File.Given, onNewest);
            await using var connection = await shop.Database.ConnectAsync();
            try
            {
                foreach (var earlier in after ? example.Sql : example.Sql[..^1])
                {
                    await RunAsync(connection, Shop.Migration(earlier).Up, mayFail: hazard.Id[0] is 'F' or 'S');
                }

                foreach (var part in Regex.Split(way, "(?m)^(?=-- (?:(?:then, )?in (?:the|a) |migrate:up))"))
                {
                    await RunAsync(connection, Shop.Migration(
                        part.Contains("CONCURRENTLY", StringComparison.Ordinal) && !part.Contains("-- migrate:up", StringComparison.Ordinal)
                            ? $"-- migrate:up transaction:false\n{part}" : part).Up);
                }

                return [];
            }
            catch (PostgresException rows) when (rows.SqlState.StartsWith("23", StringComparison.Ordinal))
            {
                // The example's rows are in the way of what it wants; that is another finding.
                return [];
            }
            catch (PostgresException refused)
            {
                said.Add($"safe way {(after ? "after" : "in the place of")} {example.Title}: {refused.MessageText}; {way}");
            }
        }

        return said;
    }

    /// <summary>A slice stands for all rows.</summary>
    private static async Task RunAsync(NpgsqlConnection connection, MigrationSection section, bool mayFail = false)
    {
        await using var transaction = section.Transactional && section.Batch is null ? await connection.BeginTransactionAsync() : null;
        try
        {
            await RunAsync(connection, section.Script);
        }
        catch (PostgresException) when (mayFail)
        {
            return;
        }

        if (transaction is not null)
        {
            await transaction.CommitAsync();
        }
    }

    private static async Task RunAsync(NpgsqlConnection connection, SqlScript script)
    {
        foreach (var statement in script.Statements)
        {
            await using var command = new NpgsqlCommand(
                statement.Text.Replace("BETWEEN :batch_first AND :batch_last", "IS NOT NULL", StringComparison.Ordinal), connection);
            await command.ExecuteNonQueryAsync();
        }
    }
}
