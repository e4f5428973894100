using System.Globalization;
using System.Text;
using ChatGenius.Db.Files;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Safety;

/// <summary>A migration in its safe way: in its own file, or in that one and new ones after it.</summary>
internal sealed class MigrationFix
{
    private readonly CheckResult _result;
    private readonly SourceText _source;
    private readonly MigrationSection _up;
    private readonly List<StatementFix?> _fixes;
    private readonly List<SqlStatement> _down;
    private readonly List<string> _texts = [];
    private readonly List<string> _names = [];

    private MigrationFix(CheckResult result, List<StatementFix?> fixes)
    {
        (_result, _fixes) = (result, fixes);
        (_source, _up) = (result.Migration.Source, result.Migration.Up);
        _down = [.. result.Migration.Down.Script.Statements];
    }

    /// <summary>The migration as it was.</summary>
    public Migration Migration => _result.Migration;

    /// <summary>What takes its place; the first has its number and file.</summary>
    public IReadOnlyList<Migration> Files { get; private set; } = [];

    /// <summary>Finds the safe way of a migration of the folder that was checked.</summary>
    /// <param name="result">What was found.</param>
    /// <param name="all">All migrations: new files need free numbers right after this one's.</param>
    /// <returns>Null where no finding has a mechanical way, or there is no room for the files that it takes.</returns>
    public static MigrationFix? Of(CheckResult result, IReadOnlyList<Migration> all)
    {
        if (result.Migration.Origin != MigrationOrigin.Folder || result.Facts is not { } facts
            || result.Migration.Up.Script.Statements.Any(statement => statement.IsCopyFromStdin))
        {
            return null;
        }

        var found = result.Findings.Where(finding => finding.Allowed is null && StatementFix.Rules.Contains(finding.Hazard.Id)).ToList();
        var fixes = result.Migration.Up.Script.Statements.Select(statement => Of(facts, statement, found)).ToList();
        if (fixes.TrueForAll(fix => fix is null))
        {
            return null;
        }

        var fix = new MigrationFix(result, fixes);
        fix.Write();
        var next = all.Select(other => other.Version).Where(version => version > result.Migration.Version)
            .DefaultIfEmpty(long.MaxValue).Min();
        if (fix._texts.Count > next - result.Migration.Version)
        {
            return null;
        }

        fix.Files = [.. fix._texts.Select(fix.Parse)];
        return fix;
    }

    /// <summary>Whether the files, checked, say less than the migration did, and nothing else.</summary>
    public bool IsBetter(IReadOnlyList<CheckResult> results)
    {
        var after = results.Where(result => Files.Any(file => file.Version == result.Migration.Version)).ToList();
        var (were, are) = (Counted([_result]), Counted(after));
        return after.Count == Files.Count && after.TrueForAll(result => result.Trace.Completed) && are.Count < were.Count
            && are.TrueForAll(id => were.Contains(id));
    }

    private static List<string> Counted(IEnumerable<CheckResult> results) =>
    [
        .. results.SelectMany(result => result.Findings).Where(finding => finding is { Allowed: null, Severity: > Severity.Info })
            .Select(finding => finding.Hazard.Id),
    ];

    private static StatementFix? Of(MigrationFacts facts, SqlStatement statement, List<Finding> found)
    {
        var about = found.Where(finding => finding.Statement?.Statement == statement
            || (finding.Hazard.Id == "M104" && statement.Is("SET"))).ToList();
        return about.Count > 0 && facts.Statements.FirstOrDefault(s => s.Trace.Statement == statement) is { } s
            ? StatementFix.Of(s, about) : null;
    }

    private void Write()
    {
        var stays = _fixes.Any(fix => fix is null or { Place: FixPlace.Here } or { Keeps: true });
        var moved = _fixes.Select((fix, i) => (fix, i)).Where(item => item.fix is { Place: not FixPlace.Here }).ToList();
        if (!_up.Transactional || (!stays && moved.TrueForAll(item => item.fix!.Place == FixPlace.OneByOne)))
        {
            // What commits statement by statement takes every safe way where it is.
            var chunks = string.Concat(_fixes.Select((fix, i) => Chunk(i, fix)));
            var added = string.Concat(_fixes.Select(fix => fix is { Added.Length: > 0 } ? $"\n{fix.Added}" : ""));
            Add("", Head(alone: _up.Transactional) + chunks + Rest(), Section(Migration.Down).TrimEnd() + added);
            return;
        }

        var downs = moved.ConvertAll(item => Down(item.fix!));
        if (stays)
        {
            var chunks = _fixes.Select((fix, i) =>
                fix is null or { Place: FixPlace.Here } or { Keeps: true } ? Chunk(i, fix) : "");
            Add("", Head(alone: false) + string.Concat(chunks) + Rest(), RestOfDown());
        }

        for (var i = 0; i < moved.Count; i++)
        {
            var (fix, index) = (moved[i].fix!, moved[i].i);
            var lead = fix.Keeps ? "" : _source.Substring(From(index), _up.Script.Statements[index].Start).Trim('\n', '\r', ' ');
            var head = _texts.Count == 0 ? Head(fix.Place == FixPlace.OneByOne)
                : $"-- migrate:up{(fix.Place == FixPlace.OneByOne ? " transaction:false" : "")}";
            Add(fix.Name, $"{head}\n{(lead.Length > 0 ? lead + "\n" : "")}{fix.Up}\n\n", downs[i]);
        }
    }

    private void Add(string name, string up, string down)
    {
        _names.Add(Snake(name));
        _texts.Add($"{up.TrimEnd()}\n\n{down.TrimEnd()}\n");
    }

    /// <summary>What stands before the first statement's section and its directive.</summary>
    private string Head(bool alone)
    {
        var directive = _source.Substring(_up.Start, _up.Script.Start);
        return _source.Substring(0, _up.Start) + (alone ? "-- migrate:up transaction:false" : directive);
    }

    /// <summary>A statement with the comments before it and its semicolon, or its fix with those comments.</summary>
    private string Chunk(int i, StatementFix? fix)
    {
        var statement = _up.Script.Statements[i];
        return fix is { Keeps: true } ? _source.Substring(From(i), statement.Start)
                + $"-- cgdb:allow fk-without-index: the index follows in the next migration\n{statement.Text};"
            : fix is null ? _source.Substring(From(i), To(statement, _up.Script.End))
            : _source.Substring(From(i), statement.Start) + fix.Up;
    }

    private int From(int i) => i == 0 ? _up.Script.Start : To(_up.Script.Statements[i - 1], _up.Script.End);

    private string Rest() => _source.Substring(To(_up.Script.Statements[^1], _up.Script.End), _up.Script.End);

    /// <summary>The place after a statement's semicolon.</summary>
    private int To(SqlStatement statement, int end)
    {
        foreach (var token in new SqlLexer(_source.Utf8.Span[..end], statement.End))
        {
            if (token.Kind == SqlTokenKind.Semicolon)
            {
                return token.End;
            }
        }

        return end;
    }

    private string Section(MigrationSection section) => _source.Substring(section.Start, section.Script.End);

    /// <summary>The down section of a file of its own, which takes over what the migration's down did for it.</summary>
    private string Down(StatementFix fix)
    {
        _down.RemoveAll(statement => fix.Undone.Length > 0 && Undoes(new StatementText(statement), fix));
        return $"-- migrate:down{(fix.DownAlone ? " transaction:false" : "")}\n"
            + (fix.Down.Length > 0 ? fix.Down : "-- Nothing to undo.\nSELECT 1;");
    }

    /// <summary>Whether a statement does nothing else than to undo what a fix undoes itself.</summary>
    private static bool Undoes(StatementText text, StatementFix fix)
    {
        var actions = text.AlterTableActions().ToList();
        return text.Is("DROP", "INDEX") || text.Is("CREATE", "INDEX") || text.Is("CREATE", "UNIQUE", "INDEX")
            ? text.Tokens.Any(token => token.Name == fix.Undone)
            : actions.Count > 0 && actions.TrueForAll(action =>
                (text.At(action.Start, "DROP", "CONSTRAINT") || InText.AltersColumn(text, action.Start, "DROP", "NOT", "NULL"))
                && text.NameAt(text.SkipGuards(action.Start + (text.AtAny(action.Start + 1, "CONSTRAINT", "COLUMN") ? 2 : 1))) is { } name
                && fix.Down.Contains($" {SqlIdentifier.Quote(name.Name)}", StringComparison.Ordinal));
    }

    /// <summary>The migration's down section without what went into other files.</summary>
    private string RestOfDown()
    {
        var section = Migration.Down;
        var (text, from) = (new StringBuilder(_source.Substring(section.Start, section.Script.Start)), section.Script.Start);
        foreach (var statement in section.Script.Statements)
        {
            var to = To(statement, section.Script.End);
            text.Append(_down.Contains(statement) ? _source.Substring(from, to) : "");
            from = to;
        }

        text.Append(_source.Substring(from, section.Script.End).TrimEnd());
        return text + (_down.Count == 0 && section.Script.Statements.Count > 0 ? "\n-- Nothing to undo.\nSELECT 1;" : "");
    }

    private Migration Parse(string text, int i)
    {
        var path = _source.Path;
        if (i > 0)
        {
            var digits = Migration.Id.IndexOf('_', StringComparison.Ordinal);
            var number = (Migration.Version + i).ToString(CultureInfo.InvariantCulture).PadLeft(digits, '0');
            path = Path.Combine(Path.GetDirectoryName(path)!, $"{number}_{_names[i]}.sql");
        }

        return MigrationParser.Parse(SourceText.From(path, text), MigrationOrigin.Folder);
    }

    private static string Snake(string name)
    {
        var letters = name.ToLowerInvariant().Select(letter => char.IsAsciiLetterOrDigit(letter) ? letter : '_').ToArray();
        return new string(letters.AsSpan(0, Math.Min(letters.Length, 60))).Trim('_');
    }
}
