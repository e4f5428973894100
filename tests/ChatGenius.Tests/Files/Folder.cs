namespace ChatGenius.Tests.Files;

/// <summary>A folder of made-up migrations, and a migrator over it.</summary>
internal sealed class Folder : IDisposable
{
    private readonly Sandbox _sandbox = new();

    public string Path => _sandbox.Path;

    /// <summary>All of them, whatever else is in the database.</summary>
    public static PlanRequest Anywhere { get; } = new(Fresh: true);

    public List<MigrationEvent> Events { get; } = [];

    /// <summary>What fills <see cref="Events"/>.</summary>
    public IProgress<MigrationEvent> Recorder => field ??= new EventRecorder(Events);

    public Folder Write(long version, string name, string up, string? down = null, string options = "", string downOptions = "")
    {
        _sandbox.Write($"{version:D4}_{name}.sql",
            $"-- migrate:up{options}\n{up}\n\n-- migrate:down{downOptions}\n{down ?? "-- nothing to take back\nSELECT 1;"}\n");
        return this;
    }

    /// <summary>Writes a repeatable object.</summary>
    public Folder Repeat(string name, string sql)
    {
        _sandbox.Write($"repeatable/{name}.sql", sql);
        return this;
    }

    public Folder WriteTable(long version, string table) =>
        Write(version, $"create_{table}", $"CREATE TABLE {table} (id int);", $"DROP TABLE {table};");

    public void Delete(long version)
    {
        foreach (var file in Directory.GetFiles(Path, $"{version:D4}_*.sql"))
        {
            File.Delete(file);
        }
    }

    public Migrator Migrator(TestDatabase database, MigratorOptions? options = null)
    {
        var migrations = Repeatable.Together([Path], () => MigrationSource.Load(Path, bundle: false), out var repeatables);
        return new(database.Database, migrations, options, Recorder, repeatables);
    }

    public async Task<RunResult> ApplyAsync(TestDatabase database, MigratorOptions? options = null, PlanRequest? request = null,
        CancellationToken token = default) =>
        await Migrator(database, options).ApplyAsync(request ?? Anywhere, null, token);

    public async Task<RunResult> RollbackAsync(TestDatabase database, RollbackRequest? request = null) =>
        await Migrator(database).RollbackAsync(request ?? new RollbackRequest());

    public async Task<string> StatusAsync(TestDatabase database) => string.Join(
        ' ', (await Migrator(database).StatusAsync()).Select(status => $"{status.Version}:{status.State}"));

    /// <summary>What a run has told so far; it may still go on.</summary>
    public IReadOnlyList<T> Told<T>()
        where T : MigrationEvent
    {
        lock (Events)
        {
            return [.. Events.OfType<T>()];
        }
    }

    /// <summary>Waits until a run has told this; a run that ends without it fails the test by the time limit.</summary>
    public async Task WaitForAsync<T>(Func<T, bool>? which = null)
        where T : MigrationEvent
    {
        for (var i = 0; i < 600; i++)
        {
            if (Told<T>().Any(which ?? (_ => true)))
            {
                return;
            }

            await Task.Delay(50);
        }

        throw new TimeoutException($"No {typeof(T).Name} came.");
    }

    public void Dispose() => _sandbox.Dispose();

    private sealed class EventRecorder(List<MigrationEvent> events) : IProgress<MigrationEvent>
    {
        public void Report(MigrationEvent value)
        {
            lock (events)
            {
                events.Add(value);
            }
        }
    }
}
