using System.Globalization;
using static ChatGenius.Db.Imports.TypeScriptNode;
using Kind = ChatGenius.Db.Imports.TypeScriptTokenKind;
using Token = ChatGenius.Db.Imports.TypeScriptToken;

namespace ChatGenius.Db.Imports;

internal sealed partial class TypeScriptParser
{
    private static readonly string[][] Precedences =
    [
        ["??", "||"], ["&&"], ["|"], ["^"], ["&"], ["==", "!=", "===", "!=="], ["<", ">", "<=", ">=", "instanceof", "in"], ["<<"],
        ["+", "-"], ["*", "/", "%"], ["**"],
    ];

    private static readonly HashSet<string> Assignments =
        ["=", "+=", "-=", "*=", "/=", "%=", "**=", "<<=", ">>=", ">>>=", "&=", "|=", "^=", "&&=", "||=", "??="];

    /// <summary>Methods that change what they are called on.</summary>
    private static readonly HashSet<string> Changes =
        ["push", "pop", "shift", "unshift", "splice", "sort", "reverse", "fill", "copyWithin", "set", "add", "delete", "clear", "assign"];

    private TypeScriptNode Sequence()
    {
        var value = Value();
        return Is(",") ? throw Refuse("several values with commas are not read") : value;
    }

    /// <summary>One value: an assignment, an arrow function, a choice, or what is made of operators.</summary>
    private TypeScriptNode Value()
    {
        var start = Now.Start;
        NeedStack();
        if (IsArrow(out var isAsync))
        {
            _at += isAsync ? 1 : 0;
            return ArrowRest(start, isAsync);
        }

        var left = Binary(0);
        if (Take("?"))
        {
            Value();
            Need(":");
            Value();
            return new Unread(start, LastEnd, "a choice between values");
        }

        if (Now.Kind != Kind.Sign || !Assignments.Contains(Now.Text))
        {
            return left;
        }

        var sign = _tokens[_at++].Text;
        NoteChange(left);
        return new Operation(start, LastEnd, sign, left, Value()) { End = LastEnd };
    }

    private void NoteChange(TypeScriptNode target)
    {
        if (target is Member { Of: var of })
        {
            // What it is called by stays; what it holds changes.
            while (of is Member member)
            {
                of = member.Of;
            }

            _changed.Add(of is Identifier { Text: var holder } ? $"{holder}." : "");
        }

        _changed.UnionWith(target switch
        {
            Identifier name => [name.Text],
            List list => list.Items.OfType<Identifier>().Select(name => name.Text),
            Map map => map.Entries.Select(entry => entry.Value).OfType<Identifier>().Select(name => name.Text),
            _ => [],
        });
    }

    private TypeScriptNode Binary(int level)
    {
        if (level == Precedences.Length)
        {
            return AsType(Unary());
        }

        var left = Binary(level + 1);
        while (Now.Kind is Kind.Sign or Kind.Name && Precedences[level].Contains(Now.Text))
        {
            var sign = _tokens[_at++].Text;
            left = new Operation(left.Start, LastEnd, sign, left, Binary(level + 1)) { End = LastEnd };
        }

        return left;
    }

    private TypeScriptNode AsType(TypeScriptNode value)
    {
        while (Now is { Kind: Kind.Name, Text: "as" or "satisfies", AfterLineBreak: false })
        {
            _at++;
            SkipType();
        }

        return value;
    }

    private TypeScriptNode Unary()
    {
        var start = Now.Start;
        if (Is("<"))
        {
            SkipTypeArguments();
            return Unary();
        }

        if (Now.Kind is Kind.Sign or Kind.Name
            && Now.Text is "await" or "!" or "-" or "+" or "~" or "typeof" or "void" or "delete" or "++" or "--")
        {
            var sign = _tokens[_at++].Text;
            var operand = Unary();
            if (sign is "++" or "--" or "delete")
            {
                NoteChange(operand);
            }

            return new Operation(start, LastEnd, sign, operand, null);
        }

        var value = Postfix(Primary());
        if (Now is { Kind: Kind.Sign, Text: "++" or "--", AfterLineBreak: false })
        {
            NoteChange(value);
            return new Operation(start, LastEnd, _tokens[_at++].Text, value, null);
        }

        return value;
    }

    private TypeScriptNode Postfix(TypeScriptNode value)
    {
        for (;;)
        {
            var before = _at;
            if (Take("?.") || Take("."))
            {
                if (Is("(") || Is("[") || Now.Kind == Kind.Template)
                {
                    continue;
                }

                value = new Member(value.Start, Now.End, value, TakeName(), null);
            }
            else if (Take("["))
            {
                var key = Sequence();
                Need("]");
                value = new Member(value.Start, LastEnd, value, null, key);
            }
            else if (Is("("))
            {
                var arguments = Arguments();
                if (value is Member { Name: { } method } && Changes.Contains(method))
                {
                    NoteChange(value);
                }

                value = new Call(value.Start, LastEnd, value, arguments, false);
            }
            else if (Now.Kind == Kind.Template)
            {
                value = TemplateOf(value);
            }
            else if (Now is { Kind: Kind.Sign, Text: "!", AfterLineBreak: false })
            {
                _at++;
            }
            else if (Is("<") && TrySkipTypeArguments() && (Is("(") || Now.Kind == Kind.Template))
            {
                // The types of a call say nothing about what it does.
            }
            else
            {
                _at = before;
                return value;
            }
        }
    }

    private List<TypeScriptNode> Arguments()
    {
        var arguments = new List<TypeScriptNode>();
        for (Need("("); !Take(")"); _ = Take(",") || Is(")") ? true : throw Refuse())
        {
            arguments.Add(Spread());
        }

        return arguments;
    }

    private TypeScriptNode Spread()
    {
        var start = Now.Start;
        return Take("...") ? new Operation(start, LastEnd, "...", Value(), null) { End = LastEnd } : Value();
    }

    private Template TemplateOf(TypeScriptNode? tag)
    {
        var token = _tokens[_at++];
        var values = token.Values.Select(tokens =>
        {
            var inner = new TypeScriptParser(tokens, _changed);
            var value = inner.Sequence();
            return inner.Now.Kind == Kind.End ? value : throw inner.Refuse();
        });
        return new Template(tag?.Start ?? token.Start, token.End, tag, token.Parts, [.. values]);
    }

    private TypeScriptNode Primary()
    {
        var token = Now;
        switch (token.Kind)
        {
            case Kind.String:
                _at++;
                return new Literal(token.Start, token.End, token.Text);
            case Kind.Number:
                _at++;
                return NumberOf(token);
            case Kind.Regex:
                _at++;
                return NotKnown(token, "a regular expression");
            case Kind.Template: return TemplateOf(null);
            case Kind.End: throw Refuse("the file ends here");
        }

        switch (token.Text)
        {
            case "(":
                return InParentheses();
            case "[": return ListOf();
            case "{": return MapOf();
            case "function" or "async" when token.Text == "function" || Ahead(1).Is("function"): return FunctionOf(isDeclaration: false);
            case "class": return ClassOf();
            case "new": return New();
            case "true" or "false" or "null":
                _at++;
                return new Literal(token.Start, token.End, token.Text == "null" ? null : token.Text == "true");
            case "import" or "super" or "yield": throw Refuse($"{token.Text} is not read");
        }

        _at += token.Kind == Kind.Name ? 1 : throw Refuse();
        return new Identifier(token.Start, token.End, token.Text);
    }

    /// <summary>A value that may be there, as long as nothing is made of it.</summary>
    private static Literal NotKnown(Token token, string what) =>
        new(token.Start, token.End, new TypeScriptValue.Unknown(token.Start, token.End, $"{what} is not read"));

    /// <summary>A number of which JavaScript's text is certain; others are known as numbers only.</summary>
    private static Literal NumberOf(Token token)
    {
        var plain = token.Text.Replace("_", "", StringComparison.Ordinal);
        return plain.Length <= 15 && decimal.TryParse(plain, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number.ToString(CultureInfo.InvariantCulture) == plain && (number == 0 || number >= 0.000001m)
            && !(plain.Contains('.', StringComparison.Ordinal) && plain.EndsWith('0'))
            ? new Literal(token.Start, token.End, number) : NotKnown(token, "a number of this form");
    }

    private List ListOf()
    {
        var start = Now.Start;
        var items = new List<TypeScriptNode>();
        for (Need("["); !Take("]"); _ = Take(",") || Is("]") ? true : throw Refuse())
        {
            items.Add(Is(",") ? new Unread(Now.Start, Now.End, "an empty place in a list") : Spread());
        }

        return new List(start, LastEnd, items);
    }

    private Map MapOf()
    {
        var start = Now.Start;
        var entries = new List<(string?, TypeScriptNode)>();
        for (Need("{"); !Take("}"); _ = Take(",") || Is("}") ? true : throw Refuse())
        {
            entries.Add(Entry());
        }

        return new Map(start, LastEnd, entries);
    }

    private (string? Key, TypeScriptNode Value) Entry()
    {
        if (Is("..."))
        {
            return (null, Spread());
        }

        if (Is("["))
        {
            SkipBrackets();
            return Take(":") ? (null, Value()) : (null, FunctionRest(Now.Start, false, false, mayLackBody: false));
        }

        if ((Is("get") || Is("set")) && !EndsName(Ahead(1)))
        {
            throw Refuse("a getter or setter is not read");
        }

        var token = Now;
        var key = MethodKey(out var isAsync, out var isGenerator);
        if (Is("(") || Is("<"))
        {
            return (key, FunctionRest(token.Start, isAsync, isGenerator, mayLackBody: false));
        }

        if (Take(":"))
        {
            return (key, Value());
        }

        var name = new Identifier(token.Start, token.End, key);
        return (key, Take("=") ? new Operation(token.Start, LastEnd, "=", name, Value()) : name);
    }

    private Call New()
    {
        var start = Now.Start;
        _at++;
        var callee = Is("new") ? New() : Primary();
        while (Take("."))
        {
            callee = new Member(callee.Start, Now.End, callee, TakeName(), null);
        }

        SkipTypeArguments();
        return new Call(start, LastEnd, callee, Is("(") ? Arguments() : [], true) { End = LastEnd };
    }
}
