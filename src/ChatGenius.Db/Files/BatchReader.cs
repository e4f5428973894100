using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Files;

/// <summary>Reads what a section says of its batches, and looks that its statements fit.</summary>
internal sealed partial class BatchReader(SourceText source, List<Problem> problems)
{
    private const int MostRows = 10_000_000;

    private static readonly string[] Keys = ["batch", "key", "size", "pause", "target", "until"];

    private readonly Dictionary<string, (string Value, SourceLocation Where)> _options = new(StringComparer.Ordinal);

    /// <summary>Takes an option of the directive, if it is about batches.</summary>
    internal bool Takes(string text, int start)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var key = colon < 0 ? text : text[..colon];
        if (!Keys.Contains(key))
        {
            return false;
        }

        var where = source.At(start, Encoding.UTF8.GetByteCount(text));
        if (!_options.TryAdd(key, (colon < 0 ? "" : text[(colon + 1)..], where)))
        {
            problems.Add(new Problem("CG0314", $"The option \"{key}\" is given twice", where, "Keep one of the two."));
        }

        return true;
    }

    /// <summary>Reads the options, when all have been taken.</summary>
    /// <param name="directive">Finds the line that begins the section.</param>
    /// <param name="others">The keys of its other options.</param>
    /// <param name="script">Its statements.</param>
    /// <returns><c>null</c> where the section does not go in batches.</returns>
    internal BatchOptions? Read(Func<SourceLocation> directive, IEnumerable<string> others, SqlScript script)
    {
        if (!_options.TryGetValue("batch", out var batch))
        {
            foreach (var (key, (_, where)) in _options)
            {
                Report("CG0321", $"The option \"{key}\" belongs to batches", where, "Add batch:TABLE, or take it out.");
            }

            RefusePlaceholders(script);
            return null;
        }

        foreach (var other in others)
        {
            Report("CG0321", $"A section in batches has no option \"{other}\"", directive(),
                $"Take out {other}: each slice is a transaction of its own, and each other statement too.");
        }

        return new BatchOptions(ReadTable(batch.Value, batch.Where), ReadKey(), FindStatement(directive(), script))
        {
            Size = ReadSize(),
            Pause = ReadTime("pause") ?? TimeSpan.Zero,
            Target = ReadTime("target") is { } target && target > TimeSpan.Zero ? target : TimeSpan.FromMilliseconds(100),
            UntilNone = ReadUntil(),
        };
    }

    private string ReadTable(string text, SourceLocation where)
    {
        var names = Names(text, ".");
        if (names is not { Count: 1 or 2 })
        {
            Report("CG0321", $"\"{text}\" is not the name of a table", where, "Write batch:TABLE or batch:SCHEMA.TABLE, without blanks.");
            return "";
        }

        return names.Count == 1 ? SqlIdentifier.Quote(names[0]) : SqlIdentifier.Quote(names[0], names[1]);
    }

    private List<string> ReadKey()
    {
        if (!_options.TryGetValue("key", out var key))
        {
            return [];
        }

        if (Names(key.Value, ",") is { } names && names.Distinct().Count() == names.Count)
        {
            return names;
        }

        Report("CG0321", $"\"{key.Value}\" is not a list of columns", key.Where,
            "Write key:COLUMN or key:COLUMN,COLUMN, each once and without blanks.");
        return [];
    }

    private int? ReadSize()
    {
        if (!_options.TryGetValue("size", out var size))
        {
            return null;
        }

        if (int.TryParse(size.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var rows) && rows is >= 1 and <= MostRows)
        {
            return rows;
        }

        Report("CG0321", $"The size \"{size.Value}\" is not a number of rows", size.Where, $"Give a number from 1 to {MostRows}.");
        return null;
    }

    private TimeSpan? ReadTime(string key)
    {
        if (!_options.TryGetValue(key, out var time))
        {
            return null;
        }

        var match = Time().Match(time.Value);
        if (match.Success && int.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && (number > 0 || key == "pause"))
        {
            return match.Groups[2].Value switch
            {
                "ms" => TimeSpan.FromMilliseconds(number),
                "s" => TimeSpan.FromSeconds(number),
                _ => TimeSpan.FromMinutes(number),
            };
        }

        Report("CG0321", $"\"{time.Value}\" is not a time for \"{key}\"", time.Where, $"Write it like {key}:100ms, {key}:2s or "
            + $"{key}:1min.");
        return null;
    }

    private bool ReadUntil()
    {
        if (!_options.TryGetValue("until", out var until) || until.Value == "none")
        {
            return until.Value == "none";
        }

        Report("CG0321", $"It can't go on until \"{until.Value}\"", until.Where,
            "Write until:none, which makes passes until one has changed no row; without it there is one pass.");
        return false;
    }

    /// <summary>The statement that names the slice: exactly one, by both bounds, and one that writes.</summary>
    private int FindStatement(SourceLocation directive, SqlScript script)
    {
        // What is no SQL is said already, and nothing can be said about what is left of it.
        if (problems.Exists(problem => problem.Code.StartsWith("CG02", StringComparison.Ordinal)))
        {
            return 0;
        }

        var found = -1;
        foreach (var (i, statement) in script.Statements.Index())
        {
            if (statement.TransactionControl != SqlTransactionControl.None)
            {
                Report("CG0323", $"{statement.Words(1)[0]} in a section in batches", statement.Location,
                    "Take it out: each slice is a transaction of its own, and each other statement too.");
            }

            var places = SlicedStatement.Placeholders(statement);
            var names = places.Select(place => place.Name).ToHashSet();
            foreach (var (start, end, name) in places.Where(place => place.Name is not (SlicedStatement.First or SlicedStatement.Last)))
            {
                Report("CG0322", $"There is no {name}", source.At(start, end - start), "Write :batch_first and :batch_last.");
            }

            if (places.Count == 0)
            {
                continue;
            }

            if (found >= 0)
            {
                Report("CG0322", "A second statement names the slice", source.At(places[0].Start, places[0].End - places[0].Start),
                    "One statement of a section goes in batches; put the other into a migration of its own.");
            }
            else if (statement.Words(1) is not ["UPDATE" or "DELETE" or "INSERT" or "MERGE" or "WITH"])
            {
                Report("CG0322", "A statement in batches is an UPDATE, DELETE, INSERT or MERGE", statement.Location,
                    "Write one of these; it may begin with WITH.");
            }
            else if (!names.Contains(SlicedStatement.First) || !names.Contains(SlicedStatement.Last))
            {
                Report("CG0322", "The slice has two ends, and the statement names one", source.At(places[0].Start,
                    places[0].End - places[0].Start), "Both are inclusive: WHERE id BETWEEN :batch_first AND :batch_last.");
            }

            found = i;
        }

        if (found < 0)
        {
            Report("CG0322", "No statement of this section names the slice", directive,
                "Write WHERE id BETWEEN :batch_first AND :batch_last into the one that is to go in batches.");
        }

        return Math.Max(found, 0);
    }

    private void RefusePlaceholders(SqlScript script)
    {
        // Nearly all files have nothing like it, and are not read once more.
        if (source.Utf8.Span[script.Start..script.End].IndexOf(":batch_"u8) < 0)
        {
            return;
        }

        foreach (var (start, end, name) in script.Statements.SelectMany(SlicedStatement.Placeholders))
        {
            Report("CG0322", $"{name} in a section without batches", source.At(start, end - start), "Add batch:TABLE to its first line.");
        }
    }

    /// <summary>Names as SQL writes them, quoted or not, with one sign between them; null for anything else.</summary>
    private static List<string>? Names(string text, string between)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        var tokens = StatementText.Read(utf8, new SqlLexer(utf8, 0));
        var names = tokens.Where((_, i) => i % 2 == 0).Select(token => token.Name ?? "").ToList();
        return tokens.Count % 2 == 1 && names.TrueForAll(name => name.Length > 0)
            && tokens.Where((_, i) => i % 2 == 1).All(token => token.Is(between)) ? names : null;
    }

    private void Report(string code, string message, SourceLocation where, string advice) =>
        problems.Add(new Problem(code, message, where, advice));

    [GeneratedRegex("^([0-9]+)(ms|s|m|min)\\z")]
    private static partial Regex Time();
}
