using System.Text.RegularExpressions;
using ChatGenius.Tests.Templates;
using ChatGenius.Tool;
using ChatGenius.Tool.Commands;

namespace ChatGenius.Tests.Tool;

/// <summary>What messages and advice tell the reader to type: it is there, and it helps.</summary>
public partial class AdviceTests
{
    /// <summary>Every text in the source that a person may read: a string with a blank in it.</summary>
    private static readonly List<(string File, string Text)> Texts =
        [.. Repository.Sources("src").SelectMany(file => Literal().Matches(WithoutComments(File.ReadAllText(file)))
            .Select(match => (Path.GetFileName(file), match.Groups[1].Value))
                .Where(text => text.Value.Contains(' ', StringComparison.Ordinal)))];

    private static readonly List<string> AllCalls =
        [.. Texts.SelectMany(text => QuotedCall().Matches(text.Text).Select(match => match.Groups[1].Value))
            .Concat(Repository.Sources("src").SelectMany(file => TypedCall().Matches(File.ReadAllText(file)).Select(TypedWords)))
                .Distinct()];

    public static TheoryData<string> Calls => [.. AllCalls];

    [Theory]
    [MemberData(nameof(Calls))]
    public void Every_call_that_a_text_names_can_be_made(string call)
    {
        var words = Hole().Replace(call, "7").Split(' ');

        var parsed = CommandLine.Parse(words, CommandList.All());

        (parsed.Handler is not null || parsed.Options.Help).ShouldBeTrue();
    }

    [Fact]
    public void No_call_has_a_word_in_it_that_the_reader_has_to_replace() =>
        AllCalls.Where(call => ToReplace().IsMatch(Hole().Replace(call, ""))).ShouldBeEmpty(
            "Put the real folder, number or name there, or say in words what to call.");

    [Fact]
    public void A_call_is_named_in_full_between_single_quotes()
    {
        var calls = Texts.Where(text => BareCall().IsMatch(text.Text)).Select(text => $"{text.File}: {text.Text}");

        calls.ShouldBeEmpty("Write 'chatgenius-db COMMAND' or use ToolCall: whoever prints it adds --database and the like.");
    }

    [Fact]
    public void Every_option_that_a_text_names_is_there()
    {
        string[] ofOthers = ["--schema-only", "--system", "--pwfile"];
        var declared = Declared().ToHashSet();

        var named = Texts.SelectMany(text => Option().Matches(text.Text).Select(match => (text.File, Option: match.Value)))
            .Where(named => !declared.Contains(named.Option) && !ofOthers.Contains(named.Option)).Distinct();

        named.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_edited_migration_is_run_again_by_what_the_advice_says()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Terminal = true, Input = "y\ny\n" };
        Write(tool, "0001_a", "CREATE TABLE a (i int)", "DROP TABLE a");
        Write(tool, "0002_b", "CREATE TABLE b (i int)", "DROP TABLE b");
        Write(tool, "0003_c", "CREATE TABLE c (i int)", "DROP TABLE c");
        string[] here = ["--no-color", "--no-bundle", "-d", db.Url.Display, "--history-schema", "kept"];
        (await tool.RunAsync(["apply", .. here])).ExitCode.ShouldBe(ExitCode.Done);
        Write(tool, "0002_b", "CREATE TABLE b (j int)", "DROP TABLE b");

        var run = await tool.RunAsync(["apply", .. here]);

        run.Error.ShouldStartWith("error CG0401: ");
        var advised = QuotedCall().Matches(run.Error).Select(match => match.Groups[1].Value).ToList();
        // The other one keeps the edit without running it.
        advised.RemoveAll(call => call.StartsWith("repair 2 --accept", StringComparison.Ordinal)).ShouldBe(1);
        advised.ShouldBe(
            [$"rollback --to 1 --database {ToolCall.Quote(db.Url.Display)} --no-bundle --history-schema kept",
                $"apply --database {ToolCall.Quote(db.Url.Display)} --no-bundle --history-schema kept"]);
        foreach (var call in advised)
        {
            (await tool.RunAsync([.. ShellWords.Split(call)])).ExitCode.ShouldBe(ExitCode.Done);
        }

        (await db.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'b'::regclass AND attname = 'j')"))
            .ShouldBeTrue();
        (await db.ScalarAsync<bool>("SELECT to_regclass('c') IS NOT NULL")).ShouldBeTrue();
    }

    [Theory]
    [InlineData("postgres://u:p%40w@h:5/d?sslmode=require&options=-c%20x%3D1", "postgres://u@h:5/d?sslmode=require&options=-c%20x%3D1")]
    [InlineData("postgres://u@h/d?password=secret&sslmode=disable", "postgres://u@h/d?sslmode=disable")]
    [InlineData("postgres://u@h,g:1/d?target_session_attrs=primary", "postgres://u@h,g:1/d?target_session_attrs=primary")]
    [InlineData("Host=h;Username=u;Database=d;Password=secret;SSL Mode=Disable", "Host=h;Username=u;Database=d;;SSL Mode=Disable")]
    [InlineData("password='se;cret';Host=h;Username=u;Database=d", ";Host=h;Username=u;Database=d")]
    public void A_call_to_be_pasted_has_all_of_the_connection_but_the_password(string given, string kept)
    {
        var options = CommandLine.Parse(["status", "-d", given], CommandList.All()).Options;

        options.Here(["apply"]).ShouldBe(["--database", kept]);
    }

    [Theory]
    [InlineData("it's \"mine\" $HOME `x` \\ !!")]
    [InlineData("plain_name")]
    public void A_word_of_a_call_comes_back_from_a_shell_as_it_was_and_its_quotes_end_no_call(string word)
    {
        var text = ToolCall.Complete($"Do {new ToolCall("checkpoint", "drop", word)}, then go.", _ => ["--database", word]);

        var call = QuotedCall().Match(text).Groups[1].Value;
        ShellWords.Split(call).ShouldBe(["checkpoint", "drop", word, "--database", word]);
        text.ShouldEndWith("', then go.");
        var shell = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(
            "bash", ["-c", $"for word in {call}; do printf '%s\\n' \"$word\"; done"]) { RedirectStandardOutput = true })!;
        shell.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .ShouldBe(["checkpoint", "drop", word, "--database", word]);
    }

    [Fact]
    public async Task A_migration_whose_file_is_gone_is_undone_by_what_the_advice_says()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Terminal = true, Input = "y\n", Environment = { ["DATABASE_URL"] = db.Url.Display } };
        Write(tool, "0006_a", "CREATE TABLE a (i int)", "DROP TABLE a");
        Write(tool, "0007_b", "CREATE TABLE b (i int)", "DROP TABLE b");
        await tool.RunAsync("apply", "--no-bundle");
        File.Delete(Path.Combine(tool.Folder, "migrations", "0006_a.sql"));

        var run = await tool.RunAsync("apply", "--no-bundle", "--no-color");

        run.Error.ShouldStartWith("error CG0402: ");
        var call = QuotedCall().Match(run.Error).Groups[1].Value;
        call.ShouldBe("rollback --to 0 --no-bundle");
        (await tool.RunAsync([.. ShellWords.Split(call)])).ExitCode.ShouldBe(ExitCode.Done);
        (await tool.RunAsync("apply", "--no-bundle")).ExitCode.ShouldBe(ExitCode.Done);
    }

    [Fact]
    public async Task A_forgotten_no_bundle_is_recognised_by_the_history()
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = db.Url.Display } };
        Write(tool, "20260101000000_notes", "CREATE TABLE notes (i int)", "DROP TABLE notes");
        await tool.RunAsync("apply", "--no-bundle");

        var run = await tool.RunAsync("apply");

        run.Error.ShouldContain("error CG0403: ");
        run.Error.ShouldContain("leave them out with --no-bundle");
        run.Error.ShouldNotContain("--allow-out-of-order");
    }

    [Fact]
    public async Task A_database_that_is_not_there_is_made_by_what_the_advice_says()
    {
        await using var db = await TestDatabase.CreateAsync();
        var absent = db.Url.WithDatabase($"{db.Url.DatabaseName}_absent");
        using var tool = new InProcess();
        Write(tool, "0001_a", "SELECT 1", "SELECT 1");
        try
        {
            var run = await tool.RunAsync("apply", "--no-bundle", "-d", absent.Display);
            run.Error.ShouldStartWith("error CG0617: ");

            (await tool.RunAsync([.. ShellWords.Split(QuotedCall().Match(run.Error).Groups[1].Value)])).Out.ShouldStartWith("Created ");
            (await tool.RunAsync("apply", "--no-bundle", "-d", absent.Display)).ExitCode.ShouldBe(ExitCode.Done);
        }
        finally
        {
            await tool.RunAsync("drop", "--yes", "-d", absent.Display);
        }
    }

    [Theory]
    [InlineData("0002_b")]
    [InlineData("2")]
    [InlineData("0002_b.sql")]
    public async Task A_migration_is_named_by_its_number_or_as_it_is_printed(string to)
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = db.Url.Display } };
        Write(tool, "0001_a", "SELECT 1", "SELECT 1");
        Write(tool, "0002_b", "SELECT 1", "SELECT 1");
        Write(tool, "0003_c", "SELECT 1", "SELECT 1");

        (await tool.RunAsync("apply", "--no-bundle", "--to", to)).ExitCode.ShouldBe(ExitCode.Done);

        (await db.ScalarAsync<long>("SELECT max(version) FROM chatgenius_db.history")).ShouldBe(2);
    }

    [Theory]
    [InlineData("plan", "--to", "0002_other")]
    [InlineData("apply", "--to", "0002_other.sql")]
    [InlineData("rollback", "--yes", "--to", "0002_other")]
    [InlineData("repair", "0002_other", "--done")]
    [InlineData("baseline", "--to", "0002_other")]
    public async Task An_id_that_names_another_migration_than_its_number_is_refused(params string[] call)
    {
        await using var db = await TestDatabase.CreateAsync();
        using var tool = new InProcess { Environment = { ["DATABASE_URL"] = db.Url.Display } };
        Write(tool, "0002_B-it", "SELECT 1", "SELECT 1");

        (await tool.RunAsync([.. call, "--no-bundle"])).Error.ShouldStartWith("error CG0406: ");
        (await tool.RunAsync("plan", "--no-bundle", "--to", "0002_B-it")).ExitCode.ShouldBe(ExitCode.Done);
    }

    private static void Write(InProcess tool, string id, string up, string down) =>
        tool.Write($"migrations/{id}.sql", $"-- migrate:up\n{up};\n-- migrate:down\n{down};\n");

    private static IEnumerable<string> Declared()
    {
        foreach (var words in CommandList.All().SelectMany(group => group.Commands).SelectMany(Paths).Append(""))
        {
            var app = CommandLine.Parse([.. words.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"], CommandList.All()).App;
            foreach (var option in app.GetOptions())
            {
                yield return $"--{option.LongName}";
            }
        }
    }

    private static IEnumerable<string> Paths(Command command) =>
        command.Subcommands.Select(below => $"{command.Name} {below.Name}").Prepend(command.Name);

    private static string TypedWords(Match match) =>
        string.Join(' ', match.Groups[1].Value.Split(',').Select(word => word.Trim() is ['"', .. var inner, '"'] ? inner : "7"));

    private static string WithoutComments(string source) => Comment().Replace(source, "");

    [GeneratedRegex(@"^\s*//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex("\"((?:[^\"\\\\\\n]|\\\\.)*)\"")]
    private static partial Regex Literal();

    /// <summary>As it stands in a text, with what is quoted in it.</summary>
    [GeneratedRegex(@"'chatgenius-db ((?:""(?:\\.|[^""\\])*""|[^'""])+)'")]
    internal static partial Regex QuotedCall();

    [GeneratedRegex(@"new ToolCall\(((?:[^()]|\([^()]*\))*)\)")]
    private static partial Regex TypedCall();

    /// <summary>The tool's name with a command after it, where it is neither quoted nor an example; or a command alone between
    /// quotes.</summary>
    [GeneratedRegex(
        """
        (?<!'|As\ in:\ |\$\(|[Rr]un\ |End\ the\ |about\ |by\ |of\ |\#\ |TOOL\ )
            chatgenius-db\ (?:apply|rollback|redo|status|repair|renumber|baseline|create|drop
            |reset|wait|check|plan|server|schema|config|drift|checkpoint\ [a-z])\b
        |'(?:apply|rollback|redo|repair|renumber|check)(?:\ --[a-z]+)?'
        """,
        RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex BareCall();

    [GeneratedRegex(@"(?<![\w\-])--[a-z][a-z\-]+\b")]
    private static partial Regex Option();

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Hole();

    [GeneratedRegex(@"\b[A-Z][A-Z_]+\b|[<…]|\.\.\.")]
    private static partial Regex ToReplace();
}
