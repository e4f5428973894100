using System.Text.RegularExpressions;

namespace ChatGenius.Tests;

/// <summary>What the house rules say about the source, checked on the source.</summary>
public partial class ArchitectureTests
{
    private static readonly string Root = Repository.Root;

    private static readonly List<string> Folders =
        [.. Directory.GetDirectories(Path.Combine(Root, "src", "ChatGenius.Db")).Select(d => Path.GetFileName(d)).Except(["bin", "obj"])];

    public static TheoryData<string> Rooms => [.. Folders];

    /// <summary>The rooms by floors: a room uses those on lower floors, never one beside it or above it.</summary>
    private static readonly string[][] Floors =
    [
        ["Text"], ["Sql"], ["Connections"], ["Files"], ["Imports"], ["Migrations", "Schema", "Server", "Templates"], ["Replay"], ["Safety"],
    ];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_names_only_what_lies_under_it(string room)
    {
        var allowed = Floors.TakeWhile(floor => !floor.Contains(room)).SelectMany(floor => floor).ToList();
        var forbidden = Folders.Except(allowed).Except([room]).ToList();
        var named = Sources("src", "ChatGenius.Db", room)
            .SelectMany(f => RoomName().Matches(File.ReadAllText(f))
                .Select(m => (File: Path.GetFileName(f), Room: m.Groups["room"].Value)));

        Floors.SelectMany(floor => floor).ShouldBe(Folders, ignoreOrder: true);
        named.Where(n => forbidden.Contains(n.Room)).Distinct().ShouldBeEmpty();
    }

    /// <summary>Where a migration's own statements run, and what shares a session with them.</summary>
    private static readonly string[] BesideMigrations =
    [
        "CatalogReader", "History", "MigrationLock", "MigrationSession", "MigrationWatch", "Migrator", "ReplaySession",
        "StatementEffect", "Tracer",
    ];

    [Fact]
    public void Statements_of_ours_reach_a_server_through_the_room_of_connections_alone()
    {
        var room = Path.Combine("ChatGenius.Db", "Connections") + Path.DirectorySeparatorChar;
        var others = Repository.Sources("src").Where(file => !file.Contains(room, StringComparison.Ordinal))
            .Where(file => Npgsql().IsMatch(File.ReadAllText(file))).Select(file => Path.GetFileName(file).Split('.')[0]).ToList();

        others.Except(BesideMigrations).ShouldBeEmpty("Session is the door.");
        BesideMigrations.Except(others).ShouldBeEmpty("These go through the door: take them off the list.");
    }

    /// <summary>Where the files are our own, the system's, or looked at before they are read: a pipe in a foreign folder waits for
    /// ever.</summary>
    private static readonly string[] ReadersOfFiles =
    [
        "Cluster", "DatabaseBackup", "LocalServer", "MigrationFolder", "NpmPackage", "OrdinaryFile", "Postmaster", "SocketPeer",
        "SourceText",
    ];

    [Fact]
    public void Files_of_others_are_read_where_they_are_looked_at_first() =>
        Repository.Sources("src").Where(file => ReadsFile().IsMatch(File.ReadAllText(file)))
            .Select(file => Path.GetFileName(file).Split('.')[0]).Distinct().ShouldBe(ReadersOfFiles, ignoreOrder: true);

    /// <summary>Whatever search_path a session has, a catalog of ours is PostgreSQL's. What is advice to a person names them as people do.
    /// </summary>
    [Fact]
    public void Catalogs_are_named_with_their_schema()
    {
        var queries = Directory.GetFiles(Path.Combine(Root, "src", "ChatGenius.Db", "Schema", "Queries"), "*.sql");
        var lines = Sources("src").Concat(queries)
            .SelectMany(file => File.ReadAllLines(file).Select((line, i) => $"{Path.GetFileName(file)}:{i + 1}: {line.Trim()}"))
            .Where(line => !Comment().IsMatch(line)).ToList();

        lines.Count(line => line.Contains("FROM pg_catalog.pg_", StringComparison.Ordinal)).ShouldBeGreaterThan(100);
        lines.Where(line => BareCatalog().IsMatch(line)).ShouldBeEmpty();
    }

    /// <summary>.NET looks for a bare name in the working folder before it looks in PATH: a project of others may have put a program there.
    /// </summary>
    [Fact]
    public void A_program_is_started_by_its_full_path_alone() => Sources("src").Where(file => BareProgram().IsMatch(File.ReadAllText(file)))
        .Select(Path.GetFileName).ShouldBeEmpty("ProgramFile finds a program in PATH.");

    [Fact]
    public void The_engine_knows_neither_the_tool_nor_a_console() =>
        Sources("src", "ChatGenius.Db").Where(f => ToolOrConsole().IsMatch(File.ReadAllText(f))).Select(Path.GetFileName).ShouldBeEmpty();

    [Fact]
    public void Every_problem_is_documented_and_every_documented_problem_exists()
    {
        var used = Sources("src").SelectMany(f => Code().Matches(File.ReadAllText(f)).Select(m => m.Groups["code"].Value))
            .Distinct().Order().ToList();
        var lines = File.ReadAllLines(Path.Combine(Root, "PROBLEMS.md"));
        var documented = lines.Select(l => DocumentedCode().Match(l)).Where(m => m.Success).Select(m => m.Groups["code"].Value).ToList();

        used.ShouldNotBeEmpty();
        used.Except(documented).ShouldBeEmpty("Used in the source, missing in PROBLEMS.md.");
        documented.Except(used).ShouldBeEmpty("In PROBLEMS.md, used nowhere.");
        documented.ShouldBe([.. documented.Distinct().Order()], customMessage: "PROBLEMS.md is sorted and names each once.");
    }

    [Fact]
    public void Every_line_of_what_can_go_wrong_names_tests_that_exist()
    {
        var tests = typeof(ArchitectureTests).Assembly.GetTypes().SelectMany(type => type.GetMethods())
            .Where(method => method.IsDefined(typeof(FactAttribute), inherit: true)).Select(method => method.Name).ToHashSet();
        var rows = File.ReadAllLines(Path.Combine(Root, "docs", "faults.md")).Where(line => line.StartsWith('|')).Skip(2)
            .Select(line => line.Split('|')[^2]).ToList();

        rows.Count.ShouldBeGreaterThan(10);
        foreach (var row in rows)
        {
            var named = row.Split(',', StringSplitOptions.TrimEntries).Select(name => name.Trim('`')).ToList();
            named.ShouldAllBe(name => tests.Contains(name), row);
        }
    }

    [Fact]
    public void Lines_end_at_140_columns()
    {
        var wide = Repository.Sources("src").Concat(Repository.Sources("tests"))
            .Where(file => File.ReadLines(file).Any(line => line.Length > 140))
            .Select(file => Path.GetFileNameWithoutExtension(file)).ToList();

        wide.ShouldBeEmpty("A line is longer than 140 columns.");
    }

    [Fact]
    public void Files_have_at_most_400_lines()
    {
        var large = Repository.Sources("src").Where(file => File.ReadLines(file).Count() > 400)
            .Select(file => Path.GetFileNameWithoutExtension(file)).ToList();

        large.ShouldBeEmpty("A file has more than 400 lines.");
    }

    [Fact]
    public void What_people_read_is_in_plain_words()
    {
        string[] documents =
        [
            "README.md", "CHANGELOG.md", "PROBLEMS.md", "SECURITY.md", "templates/README.md", "src/ChatGenius.Db/Safety/RULES.md",
            "src/ChatGenius.Tool/chatgenius-db.schema.json", .. Directory.GetFiles(Path.Combine(Root, "docs"), "*.md"),
        ];
        var lines = documents.SelectMany(document => File.ReadAllLines(Path.Combine(Root, document)).Select(line => (document, line)));
        var strings = Sources("src").SelectMany(file => TextLiteral().Matches(File.ReadAllText(file)).Select(match => (file, match.Value)));

        strings.Concat(lines).Where(text => OddWords().IsMatch(text.Item2)).Select(text => $"{text.Item1}: {text.Item2.Trim()}")
            .ShouldBeEmpty();
    }

    private static IReadOnlyList<string> Sources(params string[] folder) => Repository.Sources(folder);

    /// <summary>A string in the code, raw or not, that no comment is before.</summary>
    [GeneratedRegex(@"(?<!//[^\n]*)(\x22{3}.*?\x22{3}|\x22(?:[^\x22\\\n]|\\.)*\x22)", RegexOptions.Singleline)]
    private static partial Regex TextLiteral();

    [GeneratedRegex(
        @"\b(anew|(?<!there )(is|are) none|whoever|gone on with|the way out|told(?! apart)|stands(?! for)|at once)\b",
        RegexOptions.IgnoreCase)]
    private static partial Regex OddWords();

    [GeneratedRegex(@"ChatGenius\.Db\.(?<room>[A-Z][a-z]+)")]
    private static partial Regex RoomName();

    [GeneratedRegex(@"\bChatGenius\.Tool\b(?!"")|\bConsole\.|McMaster|Microsoft\.Extensions\.(?!Logging;)")]
    private static partial Regex ToolOrConsole();

    [GeneratedRegex(@"""(?<code>CG\d{4})""")]
    private static partial Regex Code();

    [GeneratedRegex(@"^\S+: (//|--)")]
    private static partial Regex Comment();

    [GeneratedRegex(@"\b(FROM|JOIN)( ONLY| LATERAL)? pg_(?!catalog\.)[a-z]")]
    private static partial Regex BareCatalog();

    [GeneratedRegex(@"\bFile\.(Read[AL]|Open)|new FileStream\(")]
    private static partial Regex ReadsFile();

    [GeneratedRegex(@"\b(ProcessStartInfo|Process\.Start)\(\s*""(?!/)")]
    private static partial Regex BareProgram();

    [GeneratedRegex(@"\bNpgsql(Command|Batch|Connection)\b")]
    private static partial Regex Npgsql();

    [GeneratedRegex(@"^\|\s*`?(?<code>CG\d{4})`?\s*\|")]
    private static partial Regex DocumentedCode();
}
