using System.Text;
using BenchmarkDotNet.Attributes;
using ChatGenius.Db;
using ChatGenius.Db.Files;
using ChatGenius.Db.Migrations;
using ChatGenius.Db.Text;

namespace ChatGenius.Benchmarks;

/// <summary>What deciding costs, without a database: it must grow as the number of migrations does, and no faster.</summary>
[MemoryDiagnoser]
public class PlanBenchmarks
{
    private List<Migration> _migrations = [];
    private HistorySnapshot _history = HistorySnapshot.Empty;

    /// <summary>How many migrations there are; the first half of them is applied.</summary>
    [Params(10, 1_000, 10_000)]
    public int Migrations { get; set; }

    [GlobalSetup]
    public void MakeMigrations()
    {
        _migrations = [.. Enumerable.Range(1, Migrations).Select(i => MigrationParser.Parse(
            SourceText.From($"{i:D5}_add_table.sql",
                Encoding.UTF8.GetBytes($"-- migrate:up\nCREATE TABLE t{i} (i int);\n-- migrate:down\nDROP TABLE t{i};\n")),
            MigrationOrigin.Folder))];
        var rows = _migrations.Take(Migrations / 2).Select(m =>
            new HistoryRow(m.Version, m.Name, m.Up.Checksum, DateTime.UnixEpoch) { DownSql = m.Down.Text });
        _history = new HistorySnapshot(true, [.. rows], []);
    }

    /// <summary>Where each migration stands.</summary>
    [Benchmark]
    public int Compare() => MigrationPlan.Compare(_migrations, _history).Count;

    /// <summary>What <c>apply</c> would run.</summary>
    [Benchmark]
    public int Apply() => MigrationPlan.Apply(_migrations, _history, new PlanRequest()).Steps.Count;

    /// <summary>What <c>rollback --all</c> would run.</summary>
    [Benchmark]
    public int Rollback() => MigrationPlan.Rollback(_migrations, _history, new RollbackRequest(All: true)).Steps.Count;
}
