namespace ChatGenius.Tool.Commands;

internal sealed class SeedCommand(Workspace workspace, Settings settings, Consent consent, Report report)
{
    internal static readonly Command Definition = new("seed", "Put the rows of migrations/seed into the database")
    {
        Json = true,
        Configure = app =>
        {
            var reason = Consent.Option(app);
            return Command.Handle<SeedCommand>((command, cancellationToken) => command.RunAsync(reason.Value(), cancellationToken));
        },
        Details =
            """
            Runs migrations/seed/*.sql in the order of their names, and then those of
            migrations/seed/ENVIRONMENT where --env names one: plain SQL, each file in a
            transaction. They are run again with each call, so write them with ON CONFLICT.
            Test databases have them too.
            """,
        Examples =
            """
            chatgenius-db seed
            chatgenius-db seed --env development
            """,
    };

    private async Task<ExitCode> RunAsync(string? reason, CancellationToken cancellationToken)
    {
        var options = settings.RunOptions with { Reason = consent.RefuseWhereProtected("seed", reason) };
        var seeds = Seed.Load(settings.MigrationsFolder, settings.Environment?.Value);
        if (seeds.Count == 0)
        {
            report.Result(new DoneJson("nothing"), JsonContext.Readable.DoneJson);
            report.Result($"There are no seeds in {Path.Combine(settings.MigrationsFolder, Seed.FolderName)}");
            return ExitCode.Done;
        }

        var (migrator, target) = await workspace.OpenAsync(options, events: null, cancellationToken);
        await migrator.SeedAsync(seeds, new Done(report), cancellationToken);
        report.Result(
            new DoneJson("seeded") { Database = target.Url.Display, Files = [.. seeds.Select(seed => new DoneFileJson(seed.Path, null))] },
            JsonContext.Readable.DoneJson);
        report.Result($"{Plural.Of(seeds.Count, "seed")} put into {target.Url.Display}");
        return ExitCode.Done;
    }

    private sealed class Done(Report report) : IProgress<Seed>
    {
        public void Report(Seed value) => report.Note($"seeded {value.Path}");
    }
}
