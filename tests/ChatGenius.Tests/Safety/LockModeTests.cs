using ChatGenius.Db.Safety;

namespace ChatGenius.Tests.Safety;

public class LockModeTests
{
    private static readonly LockMode[] Modes = [.. Enum.GetValues<LockMode>().Where(mode => mode != LockMode.None)];

    [Fact]
    public async Task The_table_of_conflicts_is_the_servers()
    {
        await using var shop = await Shop.OpenAsync();
        await using var one = await shop.Database.ConnectAsync();
        await using var other = await shop.Database.ConnectAsync();
        foreach (var held in Modes)
        {
            foreach (var wanted in Modes)
            {
                await using var transaction = await one.BeginTransactionAsync();
                await LockAsync(one, held, "");
                (await IsRefusedAsync(other, wanted)).ShouldBe(held.ConflictsWith(wanted), $"{held} and {wanted}");
            }
        }
    }

    [Fact]
    public async Task Modes_are_read_as_pg_locks_writes_them()
    {
        await using var shop = await Shop.OpenAsync();
        await using var connection = await shop.Database.ConnectAsync();
        foreach (var mode in Modes)
        {
            await using var transaction = await connection.BeginTransactionAsync();
            await LockAsync(connection, mode, "");
            await using var query = new NpgsqlCommand(
                "SELECT mode FROM pg_locks WHERE relation = 'orders'::regclass AND pid = pg_backend_pid()", connection);
            LockModes.Parse((string)(await query.ExecuteScalarAsync())!).ShouldBe(mode);
        }
    }

    [Fact]
    public void A_mode_that_is_none_is_no_lock()
    {
        LockModes.Parse("SIReadLock").ShouldBe(LockMode.None);
        LockModes.Parse("").ShouldBe(LockMode.None);
    }

    [Theory]
    [InlineData(LockMode.RowExclusive, false, false)]
    [InlineData(LockMode.ShareUpdateExclusive, false, false)]
    [InlineData(LockMode.Share, true, false)]
    [InlineData(LockMode.ShareRowExclusive, true, false)]
    [InlineData(LockMode.Exclusive, true, false)]
    [InlineData(LockMode.AccessExclusive, true, true)]
    internal void A_mode_says_whether_writes_and_reads_wait_for_it(LockMode mode, bool writes, bool reads)
    {
        mode.BlocksWrites().ShouldBe(writes);
        mode.BlocksReads().ShouldBe(reads);
    }

    private static async Task LockAsync(NpgsqlConnection connection, LockMode mode, string wait)
    {
        await using var command = new NpgsqlCommand($"LOCK TABLE orders IN {mode.ToSql()} MODE {wait}", connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<bool> IsRefusedAsync(NpgsqlConnection connection, LockMode mode)
    {
        await using var transaction = await connection.BeginTransactionAsync();
        try
        {
            await LockAsync(connection, mode, "NOWAIT");
            return false;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            return true;
        }
    }
}
