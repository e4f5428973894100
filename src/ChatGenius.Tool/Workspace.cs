using ChatGenius.Db.Migrations;
using ChatGenius.Tool.Configuration;

namespace ChatGenius.Tool;

/// <summary>The project's migrations and the database they are for.</summary>
internal sealed class Workspace(Settings settings, TargetFinder targets)
{
    /// <summary>Reads every migration.</summary>
    /// <exception cref="Db.ProblemException">As <see cref="MigrationSource.LoadAsync"/>.</exception>
    public Task<IReadOnlyList<Migration>> LoadAsync(CancellationToken cancellationToken) =>
        MigrationSource.LoadAsync(settings.MigrationsFolder, settings.Bundle, settings.MigrationsFolderMustExist, cancellationToken);

    /// <summary>Reads the migrations, then finds the database: what is wrong with a file is said before a server is started.</summary>
    public async Task<(Migrator Migrator, Target Target)> OpenAsync(
        MigratorOptions options, IProgress<MigrationEvent>? events, CancellationToken cancellationToken)
    {
        var migrations = await LoadAsync(cancellationToken).ConfigureAwait(false);
        var target = await targets.FindAsync(cancellationToken).ConfigureAwait(false);
        return (new Migrator(target.Database, migrations, options, events), target);
    }
}
