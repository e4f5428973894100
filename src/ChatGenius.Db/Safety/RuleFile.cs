using System.Collections.Immutable;

namespace ChatGenius.Db.Safety;

/// <summary>What an example shows.</summary>
internal enum ExampleKind
{
    /// <summary>The rule reports it.</summary>
    Bad,

    /// <summary>The safe way to the same end.</summary>
    Good,

    /// <summary>What a reader of the text could take for the hazard, and is not.</summary>
    LookAlike,
}

/// <summary>An example of a rule.</summary>
/// <param name="Kind">What it shows.</param>
/// <param name="Title">Why it looks alike and is not; otherwise a word on it, or nothing.</param>
/// <param name="Also">Rules that report it too, and should.</param>
/// <param name="TraceOnly">Whether words can't tell it, so that only the trace is held to it.</param>
/// <param name="Untraced">Whether it is held to words only, because a trace would tell more.</param>
/// <param name="TargetVersion">The version that the target is said to have, such as 140003; 0 for the server's own.</param>
/// <param name="OldestServer">The first major version of PostgreSQL that it is for; 0 for any.</param>
/// <param name="Sql">One or more migrations, which run one after the other. What has no <c>-- migrate:up</c> is an up section.</param>
internal sealed record RuleExample(
    ExampleKind Kind, string Title, ImmutableArray<string> Also, bool TraceOnly, bool Untraced, int TargetVersion, int OldestServer,
        ImmutableArray<string> Sql);

/// <summary>A rule's file in <c>Rules/</c>, which travels inside the assembly: its words, then its examples.</summary>
/// <remarks>
/// A line <c>--: key: text</c> is one of the rule's words. A line <c>--# kind, option, … : title</c> begins an example; the kind is
/// <c>bad</c>, <c>good</c> or <c>look-alike</c>; the options are <c>traced</c>, <c>untraced</c>, <c>from 18</c>, <c>on 140003</c> and ids
/// of rules. <c>--# next</c> begins a further migration, and <c>--# given</c> what is done before each example.
/// </remarks>
internal sealed class RuleFile
{
    /// <summary>Where the chapters are.</summary>
    internal const string Manual = "https://www.postgresql.org/docs/current/";

    private const string Marker = "--# ";
    private const string Word = "--: ";
    private readonly Dictionary<string, string> _words;

    internal RuleFile(Dictionary<string, string> words, string given, ImmutableArray<RuleExample> all)
    {
        _words = words;
        Given = given;
        Examples = all;
    }

    /// <summary>The tables that all examples start with.</summary>
    public static string Tables => field ??= Read("given");

    /// <summary>What this rule's examples start with besides.</summary>
    public string Given { get; }

    /// <summary>At least one bad, one good and two look-alikes.</summary>
    public ImmutableArray<RuleExample> Examples { get; }

    internal string this[string key] => _words[key];

    internal string? Find(string key) => _words.GetValueOrDefault(key);

    internal static RuleFile Load(string id)
    {
        var given = "";
        var examples = ImmutableArray.CreateBuilder<RuleExample>();
        var parts = $"\n{Read(id)}".Split($"\n{Marker}");
        foreach (var part in parts.Skip(1))
        {
            var end = part.IndexOf('\n', StringComparison.Ordinal);
            var (head, body) = end < 0 ? (part, "") : (part[..end].Trim(), part[end..].Trim('\n'));
            if (head == "given")
            {
                given = body;
            }
            else if (head == "next")
            {
                examples[^1] = examples[^1] with { Sql = examples[^1].Sql.Add(body) };
            }
            else
            {
                examples.Add(Begin(id, head, body));
            }
        }

        var words = parts[0].Split('\n').Where(line => line.StartsWith(Word, StringComparison.Ordinal))
            .Select(line => line[Word.Length..].Split(": ", 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        var complete = examples.Any(e => e.Kind == ExampleKind.Bad) && examples.Any(e => e.Kind == ExampleKind.Good)
            && examples.Count(e => e.Kind == ExampleKind.LookAlike) >= 2;
        return complete
            ? new RuleFile(words, given, examples.ToImmutable())
            : throw new InvalidOperationException($"Rules/{id}.sql needs a bad and a good example and two look-alikes.");
    }

    private static RuleExample Begin(string id, string head, string body)
    {
        var colon = head.IndexOf(':', StringComparison.Ordinal);
        var words = (colon < 0 ? head : head[..colon]).Split([',', ' '], StringSplitOptions.RemoveEmptyEntries);
        var kind = words[0] switch
        {
            "bad" => ExampleKind.Bad,
            "good" => ExampleKind.Good,
            "look-alike" => ExampleKind.LookAlike,
            _ => throw new InvalidOperationException($"Rules/{id}.sql: what is \"{words[0]}\"?"),
        };
        return new RuleExample(
            kind,
            colon < 0 ? "" : head[(colon + 1)..].Trim(),
            [.. words.Where(word => word.Length == 4 && char.IsAsciiLetterUpper(word[0]))],
            words.Contains("traced"),
            words.Contains("untraced"),
            NumberAfter(words, "on"),
            NumberAfter(words, "from"),
            [body]);
    }

    private static int NumberAfter(string[] words, string word) =>
        Array.IndexOf(words, word) is >= 0 and var at ? int.Parse(words[at + 1], System.Globalization.CultureInfo.InvariantCulture) : 0;

    private static string Read(string name)
    {
        using var stream = typeof(RuleFile).Assembly.GetManifestResourceStream($"rules/{name}.sql")
            ?? throw new InvalidOperationException($"The rule {name} has no file: Rules/{name}.sql is missing.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n").Trim('\n');
    }
}
