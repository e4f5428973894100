using ChatGenius.Db;
using ChatGenius.Db.Connections;
using ChatGenius.Db.Files;
using ChatGenius.Db.Migrations;
using ChatGenius.Tool.Configuration;
namespace ChatGenius.Tool;

/// <summary>The project's migrations and the database they are for.</summary>
internal sealed class Workspace(Settings settings, TargetFinder targets) : IDisposable
{
    private Target? _target;

    /// <summary>Reads every migration.</summary>
    /// <exception cref="ProblemException">As <see cref="MigrationSource.Load"/>.</exception>
    public IReadOnlyList<Migration> Load(CancellationToken cancellationToken) =>
        MigrationSource.Load(settings.MigrationsFolder, settings.Bundle, settings.MigrationsFolderMustExist, cancellationToken);

    /// <summary>
    /// Reads the migrations, and meanwhile finds the database and connects to it. What is wrong with a file is said first all the same, and
    /// before a server is started.
    /// </summary>
    public async Task<(IReadOnlyList<Migration> Migrations, Target Target)> OpenAsync(CancellationToken cancellationToken)
    {
        var loading = Task.Run(() => Load(cancellationToken), cancellationToken);
        try
        {
            if (targets.Named() is null)
            {
                await loading;
            }

            _target = await targets.FindAsync(cancellationToken);
            _target.Database.ConnectAhead();
        }
        catch (ProblemException)
        {
            await loading;
            throw;
        }

        return (await loading, _target);
    }

    /// <inheritdoc cref="OpenAsync(CancellationToken)"/>
    public async Task<(Migrator Migrator, Target Target)> OpenAsync(
        MigratorOptions options, IProgress<MigrationEvent>? events, CancellationToken cancellationToken)
    {
        var (migrations, target) = await OpenAsync(cancellationToken);
        return (new Migrator(target.Database, migrations, options, events), target);
    }

    public void Dispose() => _target?.Database.AbandonAhead();
}
