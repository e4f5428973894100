using System.Text;
using ChatGenius.Db.Sql;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Templates;

/// <summary>Reads one column argument, from left to right, and complains at the character where it can't go on.</summary>
internal sealed partial class ColumnParser(string text, string what)
{
    private static readonly string[] Modifiers =
        ["unique", "index", "check", "references", "cascade", "restrict", "setnull", "setdefault", "noaction", "identity"];

    private int _at;
    private ValueKind _kind = ValueKind.Text;
    private string? _type;
    private bool _nullable;
    private string? _default;
    private int _defaultStart;
    private ColumnReference? _references;
    private (string Sql, SourceLocation Where)? _onDelete;
    private bool _identity;
    private readonly List<string> _checks = [];
    private readonly List<ColumnList> _uniques = [];
    private readonly List<ColumnList> _indexes = [];

    public ColumnSpec Parse()
    {
        var nameStart = _at;
        var name = ReadName();
        var where = Place(nameStart, _at);
        ReadNullAndDefault();
        if (Skip(':') && !TryReadType(ref name))
        {
            ReadModifier(name);
        }

        ReadNullAndDefault();
        while (Skip(':'))
        {
            ReadModifier(name);
        }

        if (_at < text.Length)
        {
            throw Wrong("CG0802", $"\"{text[_at]}\" does not belong here", _at, _at + 1, Form);
        }

        CheckName(name, where);
        return new ColumnSpec(name, _type, _nullable, WriteDefault(), where)
        {
            References = WriteReference(),
            Checks = _checks,
            Uniques = _uniques,
            Indexes = _indexes,
            Identity = _identity,
        };
    }

    private const string Form =
        "A column is name:type, then ? if it may be null, =value for a default, and :modifiers, as in count:int=0:check(count>=0).";

    private void ReadNullAndDefault()
    {
        if (Skip('?'))
        {
            _nullable = true;
        }

        if (_default is null && Skip('='))
        {
            _defaultStart = _at;
            _default = ReadUntilColon().Trim();
        }
    }

    private bool TryReadType(ref string name)
    {
        var start = _at;
        if (Peek() == '"' || LooksQualified())
        {
            ReadOwnType();
            return true;
        }

        var words = ReadWords();
        if (words == "references")
        {
            // A reference names the column after the row it points to: message:references is message_id.
            var subject = name.EndsWith("_id", StringComparison.Ordinal) ? name[..^3] : name;
            name = subject + "_id";
            (_type, _kind) = ("UUID", ValueKind.Other);
            ReadReference(Inflection.Plural(subject));
            return true;
        }

        if (Modifiers.Contains(words))
        {
            _at = start;
            return false;
        }

        if (words.Length == 0)
        {
            throw Wrong("CG0802", "A type is missing here", start, start + 1, Form);
        }

        var parenthesis = _at;
        var modifiers = Peek() == '(' ? ReadList() : null;
        if (modifiers is not null && ReadWords() is { Length: > 0 } rest)
        {
            // timestamp(3) with time zone
            words += " " + rest;
        }

        if (!TypeNames.IsKnown(words))
        {
            var suggestion = TypeNames.Suggest(words);
            throw Wrong(
                "CG0803",
                $"PostgreSQL has no built-in type \"{words}\"",
                start,
                start + words.Length,
                (suggestion is null ? "" : $"Did you mean {suggestion}? ")
                    + "A type of your own is written with its schema, as in public.mood.");
        }

        if (TypeNames.Write(words, modifiers, out var sql, out _kind) is { } complaint)
        {
            throw Wrong("CG0803", complaint, parenthesis, _at, "As in varchar(40), numeric(10,2) or timestamptz(3).");
        }

        _type = sql;
        ReadArrayBrackets();
        return true;
    }

    private void ReadReference(string table)
    {
        var column = "id";
        if (Peek() == '(')
        {
            var start = _at;
            var names = ReadTarget();
            _at = start;
            ReadParenthesized();
            if (names is not { Count: 1 or 2 } || names.Contains(""))
            {
                throw Wrong(
                    "CG0802", "Here goes a table, or a table and its column", start + 1, _at - 1,
                    "As in references(users) or references(users.email).");
            }

            names.ForEach(name => CheckName(name, Place(start + 1, _at - 1)));
            (table, column) = (names[0], names.Count == 2 ? names[1] : column);
        }

        _references = new ColumnReference(table, column, "CASCADE");
    }

    private void ReadModifier(string column)
    {
        var start = _at;
        var word = ReadWords();
        switch (word)
        {
            case "unique":
                _uniques.Add(ReadColumnList());
                break;
            case "index":
                _indexes.Add(ReadColumnList());
                break;
            case "check" when Peek() == '(':
                var condition = ReadParenthesized().Trim();
                if (condition.Length == 0)
                {
                    throw Wrong("CG0802", "The condition is missing", start, _at, "As in check(price>0).");
                }

                _checks.Add(condition);
                break;
            case "check":
                throw Wrong("CG0802", "check needs a condition in parentheses", start, _at, "As in check(price>0).");
            case "references":
                ReadReference(Inflection.Plural(column.EndsWith("_id", StringComparison.Ordinal) ? column[..^3] : column));
                break;
            case "cascade" or "restrict" or "setnull" or "set_null" or "setdefault" or "set_default" or "noaction" or "no_action":
                _onDelete = (word.Replace("_", "", StringComparison.Ordinal) switch
                {
                    "setnull" => "SET NULL",
                    "setdefault" => "SET DEFAULT",
                    "noaction" => "NO ACTION",
                    _ => word.ToUpperInvariant(),
                }, Place(start, _at));
                break;
            case "identity":
                if (_type is not ("SMALLINT" or "INTEGER" or "BIGINT"))
                {
                    throw Wrong("CG0802", "identity needs smallint, integer or bigint", start, _at, "As in number:bigint:identity.");
                }

                _identity = true;
                break;
            default:
                throw UnknownModifier(word, start);
        }
    }

    private ProblemException UnknownModifier(string word, int start)
    {
        if (word.Length == 0)
        {
            return Wrong("CG0804", "A modifier is missing here", start, start + 1, $"The modifiers are {string.Join(", ", Modifiers)}.");
        }

        var nearest = Modifiers.MinBy(known => Nearest.Distance(word, known))!;
        var hint = Nearest.Distance(word, nearest) <= 2 ? $"Did you mean {nearest}? " : "";
        var advice = $"{hint}The modifiers are {string.Join(", ", Modifiers)}.";
        return Wrong("CG0804", $"There is no modifier \"{word}\"", start, start + word.Length, advice);
    }

    private ColumnReference? WriteReference()
    {
        if (_onDelete is not var (sql, where))
        {
            return _references;
        }

        if (_references is null)
        {
            throw new ProblemException(
                "CG0804", "A delete action belongs to a reference, and this column has none", where,
                "As in owner:references(users):restrict.");
        }

        if (sql == "SET NULL" && !_nullable)
        {
            throw new ProblemException(
                "CG0804", "setnull needs a column that may be null, or every delete of a parent fails", where,
                "As in owner:references(users)?:setnull.");
        }

        return _references with { OnDelete = sql };
    }

    private string? WriteDefault()
    {
        if (_default is null)
        {
            return null;
        }

        if (_identity)
        {
            throw Wrong("CG0805", "An identity column has no default of its own", _defaultStart, text.Length, "Leave =… out.");
        }

        return ColumnDefault.Write(_default, _type, _kind, out var complaint, out var advice)
            ?? throw Wrong("CG0805", complaint, _defaultStart, _defaultStart + _default.Length, advice);
    }

    private static void CheckName(string name, SourceLocation where)
    {
        if (Encoding.UTF8.GetByteCount(name) > SqlIdentifier.MaxBytes)
        {
            throw new ProblemException(
                "CG0802", $"The name is longer than the {SqlIdentifier.MaxBytes} bytes that PostgreSQL keeps", where, "Shorten it.");
        }
    }
}
