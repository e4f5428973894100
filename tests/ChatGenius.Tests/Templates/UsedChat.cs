using ChatGenius.Tests.Bundle;
using ChatGenius.Tests.Support;

namespace ChatGenius.Tests.Templates;

/// <summary>A ChatGenius database with all of the bundle and a month of use, made once and copied for each test.</summary>
public sealed class UsedChat : IAsyncLifetime
{
    private TestDatabase? _original;

    public async Task InitializeAsync()
    {
        _original = await TestDatabase.CreateAsync();
        await using var connection = await _original.ConnectAsync();
        await UsedDatabases.BuildAsync(connection, "a_month");
        await BundledMigrations.UpAsync(connection, BundledMigrations.Data);
    }

    internal Task<TestDatabase> CopyAsync() => _original!.CopyAsync();

    public async Task DisposeAsync()
    {
        if (_original is not null)
        {
            await _original.DisposeAsync();
        }
    }
}
