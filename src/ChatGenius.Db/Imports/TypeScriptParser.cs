using System.Runtime.CompilerServices;
using static ChatGenius.Db.Imports.TypeScriptNode;
using Kind = ChatGenius.Db.Imports.TypeScriptTokenKind;
using Token = ChatGenius.Db.Imports.TypeScriptToken;

namespace ChatGenius.Db.Imports;

/// <summary>
/// Reads the statements of a file. Types are passed over. What it does not know is a <see cref="TypeScriptRefusal"/>: it never guesses
/// where something ends.
/// </summary>
internal sealed partial class TypeScriptParser
{
    private static readonly HashSet<string> Modifiers =
        ["public", "private", "protected", "readonly", "override", "declare", "abstract", "static", "accessor"];

    private readonly HashSet<string> _changed;
    private readonly IReadOnlyList<Token> _tokens;
    private int[]? _ends;
    private int _at;

    private TypeScriptParser(IReadOnlyList<Token> tokens, HashSet<string> changed) => (_tokens, _changed) = (tokens, changed);

    /// <summary>Reads a file.</summary>
    /// <returns>Its statements, and the names that are given another value somewhere, so that nobody can say what they are.</returns>
    public static (IReadOnlyList<TypeScriptNode> Statements, IReadOnlySet<string> Changed) Read(string text)
    {
        var parser = new TypeScriptParser(TypeScriptLexer.Read(text), []);
        var statements = new List<TypeScriptNode>();
        while (parser.Now.Kind != Kind.End)
        {
            statements.Add(parser.Statement());
        }

        return (statements, parser._changed);
    }

    private Token Now => _tokens[_at];

    private int LastEnd => _tokens[Math.Max(_at - 1, 0)].End;

    private bool Is(string text) => Now.Is(text);

    private Token Ahead(int count) => _tokens[Math.Min(_at + count, _tokens.Count - 1)];

    private bool IsNameAhead(int count) => Ahead(count) is { Kind: Kind.Name, AfterLineBreak: false };

    private bool Take(string text)
    {
        var found = Is(text);
        _at += found ? 1 : 0;
        return found;
    }

    private TypeScriptRefusal Refuse(string what = "this is not read") => new(Now.Start, Now.End, what);

    private void Need(string text) => _ = Take(text) ? true : throw Refuse($"{text} is missing here, or this is not read");

    private string TakeName() => Now.Kind == Kind.Name ? _tokens[_at++].Text : throw Refuse();

    private void EndStatement()
    {
        if (!Take(";") && !Is("}") && Now.Kind != Kind.End && !Now.AfterLineBreak)
        {
            throw Refuse();
        }
    }

    /// <summary>What is nested without end must not end the program.</summary>
    private void NeedStack() =>
        _ = RuntimeHelpers.TryEnsureSufficientExecutionStack() ? true : throw Refuse("this is nested too deeply to be read");

    private TypeScriptNode Statement()
    {
        var start = Now.Start;
        NeedStack();
        if (Now.Kind == Kind.Name && Ahead(1).Is(":"))
        {
            throw Refuse("a label is not read");
        }

        switch (Now.Kind is Kind.Name or Kind.Sign ? Now.Text : "")
        {
            case "{": return BlockOf();
            case ";":
                _at++;
                return new Block(start, LastEnd, []);
            case "import" when !Ahead(1).Is("(") && !Ahead(1).Is("."): return Import();
            case "export": return ExportOf();
            case "const" when Ahead(1).Is("enum"): return SkipDeclaration("an enum");
            case "enum" or "namespace" or "module" or "interface" or "declare" or "type" when IsNameAhead(1):
                return SkipDeclaration(Now.Text);
            case "const" or "let" or "var": return Declare();
            case "abstract" when Ahead(1).Is("class"): _at++; goto case "class";
            case "class": return Named("class", ClassOf);
            case "async" when Ahead(1).Is("function") && !Ahead(1).AfterLineBreak:
            case "function": return Named("function", () => FunctionOf(isDeclaration: true));
            case "return" or "throw":
                var isThrow = _tokens[_at++].Text == "throw";
                var value = Now.AfterLineBreak || Is(";") || Is("}") || Now.Kind == Kind.End ? null : Value();
                EndStatement();
                return new Exit(start, LastEnd, isThrow, value);
            case "if":
                _at++;
                var test = InParentheses();
                var then = Statement();
                return new Choice(start, LastEnd, test, then, Take("else") ? Statement() : null) { End = LastEnd };
            case "for": return For();
            case "try": return Try();
            case "while" or "do" or "switch" or "break" or "continue" or "with" or "debugger": throw Refuse($"{Now.Text} is not read");
            case var decorator when decorator.StartsWith('@'):
                _at++;
                if (Is("("))
                {
                    SkipBrackets();
                }

                return Statement();
        }

        var expression = Sequence();
        EndStatement();
        return new Expression(start, LastEnd, expression);
    }

    private Block BlockOf()
    {
        var start = Now.Start;
        Need("{");
        var statements = new List<TypeScriptNode>();
        while (!Is("}"))
        {
            statements.Add(Now.Kind == Kind.End ? throw Refuse("a block is not closed") : Statement());
        }

        _at++;
        return new Block(start, LastEnd, statements);
    }

    private TypeScriptNode InParentheses()
    {
        Need("(");
        var value = Sequence();
        Need(")");
        return value;
    }

    private Declaration Declare()
    {
        var (start, word) = (Now.Start, TakeName());
        var names = new List<(TypeScriptNode, TypeScriptNode?)>();
        do
        {
            var pattern = Pattern();
            names.Add((pattern, Take("=") ? Value() : null));
        }
        while (Take(","));
        EndStatement();
        return new Declaration(start, LastEnd, word, names);
    }

    /// <summary>A declaration that is hoisted: its name and what it is.</summary>
    private Declaration Named(string word, Func<TypeScriptNode> read)
    {
        var start = Now.Start;
        var at = _at + (Is("async") ? 2 : 1);
        at += _tokens[at].Is("*") ? 1 : 0;
        var name = _tokens[at].Kind == Kind.Name && !_tokens[at].Is("extends") ? _tokens[at] : null;
        var value = read();
        var pattern = new Identifier(name?.Start ?? start, name?.End ?? start, name?.Text ?? "");
        return new Declaration(start, LastEnd, word, [(pattern, value)]);
    }

    /// <summary>A name, <c>[…]</c> or <c>{…}</c>, with its type.</summary>
    private TypeScriptNode Pattern()
    {
        var start = Now.Start;
        var rest = Take("...");
        var before = _changed.ToHashSet();
        var pattern = Is("[") || Is("{") ? Primary() : new Identifier(Now.Start, Now.End, TakeName());
        // What looks like an assignment here is what a name has where it gets nothing.
        _changed.ExceptWith(Standards(pattern).Except(before).ToList());
        _ = Take("?") || Take("!");
        if (Take(":"))
        {
            SkipType();
        }

        return rest ? new Operation(start, LastEnd, "...", pattern, null) : pattern;
    }

    private static IEnumerable<string> Standards(TypeScriptNode pattern) => pattern switch
    {
        Operation { Sign: "=", Left: Identifier name } => [name.Text],
        Operation { Sign: "=", Left: var target } => Standards(target),
        List list => list.Items.SelectMany(Standards),
        Map map => map.Entries.SelectMany(entry => Standards(entry.Value)),
        _ => [],
    };

    private Declaration Import()
    {
        var start = Now.Start;
        _at++;
        var names = new List<(string From, Identifier As)>();
        var isType = Is("type") && !Ahead(1).Is("from") && !Ahead(1).Is(",") && Take("type");
        if (Now.Kind == Kind.Name)
        {
            names.Add(("default", new Identifier(Now.Start, Now.End, TakeName())));
            if (Take("="))
            {
                // import x = require('y')
                var required = Value();
                EndStatement();
                return new Declaration(start, LastEnd, "import", [(names[0].As, required)]);
            }
        }

        _ = Take(",");
        if (Take("*"))
        {
            Need("as");
            names.Add(("*", new Identifier(Now.Start, Now.End, TakeName())));
        }
        else if (Is("{"))
        {
            names.AddRange(ModuleNames().Select(one => (one.From, one.As)));
        }

        _ = names.Count == 0 || Take("from") ? true : throw Refuse();
        var module = Now.Kind == Kind.String ? _tokens[_at++].Text : throw Refuse();
        if (Take("with") || Take("assert"))
        {
            SkipBrackets();
        }

        EndStatement();
        return new Declaration(start, LastEnd, "import",
            isType ? [] : [.. names.Select(one =>
                ((TypeScriptNode)one.As, (TypeScriptNode?)new Imported(start, LastEnd, module, one.From)))]);
    }

    /// <summary><c>{ a, b as c }</c> of an import or an export.</summary>
    private List<(string From, Identifier As)> ModuleNames()
    {
        var names = new List<(string, Identifier)>();
        for (Need("{"); !Take("}"); _ = Take(",") || Is("}") ? true : throw Refuse())
        {
            _ = Is("type") && Ahead(1).Kind == Kind.Name && !Ahead(1).Is("as") && Take("type");
            var from = Now;
            _at++;
            var to = Take("as") ? _tokens[_at++] : from;
            names.Add((from.Text, new Identifier(to.Start, to.End, to.Text)));
        }

        return names;
    }

    private TypeScriptNode ExportOf()
    {
        var start = Now.Start;
        _at++;
        if (Take("default") || Take("="))
        {
            var value = Is("class") || (Is("abstract") && Take("abstract")) ? ClassOf()
                : Is("function") || (Is("async") && Ahead(1).Is("function")) ? FunctionOf(isDeclaration: true) : Value();
            EndStatement();
            return new Export(start, LastEnd, [("default", value)], null);
        }

        if (Is("{"))
        {
            var names = ModuleNames();
            var module = Take("from") ? _tokens[_at++].Text : null;
            EndStatement();
            return new Export(start, LastEnd, [.. names.Select(one => (one.As.Text,
                module is null ? (TypeScriptNode)new Identifier(one.As.Start, one.As.End, one.From)
                    : new Imported(start, LastEnd, module, one.From)))], null);
        }

        if (Is("*"))
        {
            throw Refuse("what another file exports is not read");
        }

        var statement = Statement();
        return statement is Declaration declaration
            ? new Export(start, LastEnd, [.. declaration.Names.Select(one => one.Pattern).OfType<Identifier>()
                .Select(name => (name.Text, (TypeScriptNode)name))], statement)
            : statement as Unread ?? throw new TypeScriptRefusal(start, LastEnd, "this is not read");
    }

    private Loop For()
    {
        var start = Now.Start;
        _at++;
        if (Is("await"))
        {
            throw Refuse("for await is not read");
        }

        Need("(");
        if (!Is("const") && !Is("let"))
        {
            throw Refuse("only for (const x of …) is read");
        }

        _at++;
        var pattern = Pattern();
        if (!Take("of"))
        {
            throw Refuse("only for (const x of …) is read");
        }

        var over = Value();
        Need(")");
        return new Loop(start, LastEnd, pattern, over, Statement()) { End = LastEnd };
    }

    private Attempt Try()
    {
        var start = Now.Start;
        _at++;
        var body = BlockOf();
        Block? onError = null;
        if (Take("catch"))
        {
            if (Take("("))
            {
                Pattern();
                Need(")");
            }

            onError = BlockOf();
        }

        return new Attempt(start, LastEnd, body, onError, Take("finally") ? BlockOf() : null) { End = LastEnd };
    }

    /// <summary>Passes over an interface, a type, an enum, a namespace or what is only declared.</summary>
    private Unread SkipDeclaration(string what)
    {
        var start = Now.Start;
        if (Is("type"))
        {
            _at += 2;
            SkipTypeArguments();
            Need("=");
            SkipType();
            EndStatement();
            return new Unread(start, LastEnd, what);
        }

        while (!Is("{"))
        {
            if (Now.Kind == Kind.End || Take(";"))
            {
                return new Unread(start, LastEnd, what);
            }

            _at++;
        }

        SkipBrackets();
        return new Unread(start, LastEnd, what);
    }
}
