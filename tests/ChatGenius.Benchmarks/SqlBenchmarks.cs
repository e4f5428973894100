using BenchmarkDotNet.Attributes;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Benchmarks;

/// <summary>What reading SQL costs on one thread. Each text has <see cref="Megabytes"/> million bytes: MB/s is that by the time.</summary>
[MemoryDiagnoser]
public class SqlBenchmarks
{
    /// <summary>The size of each text in millions of bytes.</summary>
    public const int Megabytes = 10;

    private byte[] _text = [];
    private SourceText _source = null!;
    private SourceText _migration = null!;

    /// <summary>What is read.</summary>
    [Params("ordinary", "inserts", "copy")]
    public string Kind { get; set; } = "ordinary";

    [GlobalSetup]
    public void MakeTexts()
    {
        const int bytes = Megabytes * 1_000_000;
        _text = Kind switch
        {
            "ordinary" => SqlCorpus.OrdinarySql(bytes),
            "inserts" => SqlCorpus.Inserts(bytes),
            _ => SqlCorpus.Copy(bytes),
        };
        _source = SourceText.From("0001_big.sql", _text);
        _migration = SourceText.From("0001_big.sql", SqlCorpus.Migration(_text));
    }

    /// <summary>Tokens alone. (The rows of a COPY are lexed as if they were SQL here.)</summary>
    [Benchmark]
    public int Lex()
    {
        var count = 0;
        foreach (var token in new SqlLexer(_text))
        {
            count += (int)token.Kind;
        }

        return count;
    }

    /// <summary>Statements and checksum.</summary>
    [Benchmark]
    public int Split() => SqlScript.Parse(_source).Statements.Count;

    /// <summary>The whole file, from its bytes on: UTF-8 check, sections, statements, checksums.</summary>
    [Benchmark]
    public int ParseMigration() => MigrationParser.Parse(_migration, MigrationOrigin.Folder).Up.Script.Statements.Count;
}
