using System.Globalization;
using static ChatGenius.Db.Imports.TypeScriptNode;
using static ChatGenius.Db.Imports.TypeScriptValue;

namespace ChatGenius.Db.Imports;

internal sealed partial class TypeScriptReader
{
    private const int LongestText = 16 << 20;

    /// <summary>What another run would give another value to, and why it can't be in a file.</summary>
    private static readonly Dictionary<string, string> Changing = new(StringComparer.Ordinal)
    {
        ["process"] = "the environment decides what runs here", ["Deno"] = "the environment decides what runs here",
        ["Date"] = "the clock decides what runs here", ["performance"] = "the clock decides what runs here",
        ["Math"] = "what is computed here is not read", ["crypto"] = Generated, ["uuid"] = Generated, ["nanoid"] = Generated,
        ["cuid"] = Generated, ["@paralleldrive/cuid2"] = Generated, ["ulid"] = Generated, ["@faker-js/faker"] = Generated,
        ["fs"] = OtherFile, ["fs/promises"] = OtherFile,
    };

    private const string Generated = "a new id or random value is made here in each run";
    private const string OtherFile = "another file is read here";

    private object? Eval(TypeScriptNode node, TypeScriptScope scope)
    {
        Step(node);
        switch (node)
        {
            case Literal literal: return literal.Value;
            case Identifier name: return Lookup(name, scope);
            case Template { Tag: null } template: return Pasted(template, scope);
            case Template template: return Tagged(template, scope);
            case Member { Name: { } name } member: return MemberOf(Eval(member.Of, scope), name, member);
            case Member { Key: { } index } member: return ItemOf(Eval(member.Of, scope), Eval(index, scope), member);
            case Call call: return EvalCall(call, scope);
            case List list: return list.Items.SelectMany(item => Spread(item, scope)).ToList();
            case Map map: return Entries(map, scope);
            case Function function: return new Closure(function, scope, This(scope));
            case Class type: return new Instance(type, scope);
            case Imported imported: return ImportOf(imported.Module, imported.Name, imported);
            case Operation { Sign: "await" } operation: return Await(operation, scope);
            case Operation { Sign: "+", Right: { } right, Left: var left }: return Add(Eval(left, scope), Eval(right, scope), node);
            case Operation { Sign: "-", Right: null, Left: var of } when Eval(of, scope) is decimal number and not 0: return -number;
            case Operation { Sign: "!", Left: var of } when Eval(of, scope) is bool truth: return !truth;
            case Operation { Sign: "void", Left: Literal }: return Undefined;
            case Unread unread: throw new TypeScriptRefusal(node.Start, node.End, $"{unread.What} is not read");
            default: throw Because(node, scope, "this is not read");
        }
    }

    private static Instance? This(TypeScriptScope scope) => scope.TryGet("this", out var value) ? value as Instance : null;

    private object? Lookup(Identifier name, TypeScriptScope scope)
    {
        if (_changed.Contains(name.Text))
        {
            return new Unknown(name.Start, name.End, $"{name.Text} is given another value somewhere in the file");
        }

        if (scope.TryGet(name.Text, out var value))
        {
            var held = value is IReadOnlyList<object?> or IReadOnlyDictionary<string, object?>;
            return held && (_changed.Contains($"{name.Text}.") || _changed.Contains(""))
                ? new Unknown(name.Start, name.End, $"what {name.Text} holds is changed somewhere in the file") : value;
        }

        return name.Text switch
        {
            "undefined" => Undefined,
            "Promise" or "String" or "console" or "Object" => new Handle(Origin.Global, "", name.Text),
            var text when Changing.TryGetValue(text, out var reason) => new Unknown(name.Start, name.End, reason),
            _ => new Unknown(name.Start, name.End, $"{name.Text} is not known in this file"),
        };
    }

    private static object ImportOf(string module, string name, TypeScriptNode at)
    {
        module = module.StartsWith("node:", StringComparison.Ordinal) ? module["node:".Length..] : module;
        if (Changing.TryGetValue(module, out var reason))
        {
            return new Unknown(at.Start, at.End, reason);
        }

        var isOwn = module.StartsWith('.') || module.StartsWith('/') || module.StartsWith("@/", StringComparison.Ordinal)
            || module.StartsWith('~') || module.StartsWith('#');
        return new Handle(isOwn ? Origin.Database : Origin.Library, module, name is "*" or "default" ? "" : name,
            isOwn && name is "*" or "default");
    }

    private object? MemberOf(object? value, string name, TypeScriptNode at) => value switch
    {
        Handle handle => handle.Get(name),
        Result or Unknown => value,
        IReadOnlyDictionary<string, object?> map => map.TryGetValue(name, out var entry) ? entry : Undefined,
        IReadOnlyList<object?> list when name == "length" => (decimal)list.Count,
        Instance instance when instance.Class.Members.TryGetValue(name, out var member) => member switch
        {
            Function function => new Closure(function, instance.Scope, instance),
            null => new Unknown(at.Start, at.End, $"{name} has no value yet"),
            _ => Eval(member, InstanceScope(instance)),
        },
        Instance => new Handle(Origin.Database, "", $"this.{name}"),
        _ => throw Because(value, at, $"what {name} is here is not known"),
    };

    private static TypeScriptScope InstanceScope(Instance instance)
    {
        var scope = new TypeScriptScope(instance.Scope, true);
        scope.Set("this", instance);
        return scope;
    }

    private object? ItemOf(object? value, object? key, TypeScriptNode at) => (value, key) switch
    {
        (IReadOnlyList<object?> list, decimal index) when index >= 0 && index < list.Count && decimal.IsInteger(index) => list[(int)index],
        (IReadOnlyDictionary<string, object?>, string name) => MemberOf(value, name, at),
        (Result, _) => value,
        _ => throw Because(value is Result or Unknown ? value : key, at, "this value is not known"),
    };

    private IReadOnlyList<object?> Spread(TypeScriptNode item, TypeScriptScope scope)
    {
        if (item is not Operation { Sign: "...", Left: var inner })
        {
            return [Eval(item, scope)];
        }

        var value = Eval(inner, scope);
        return value as IReadOnlyList<object?> ?? throw Because(value, item, "this value is not known");
    }

    private Dictionary<string, object?> Entries(Map map, TypeScriptScope scope)
    {
        var entries = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (key, node) in map.Entries)
        {
            entries[key ?? throw Because(node, scope, "a computed name is not read")] =
                node is Function function ? new Closure(function, scope, This(scope)) : Eval(node, scope);
        }

        return entries;
    }

    /// <summary>JavaScript's own text of a value.</summary>
    private static string TextOf(object? value, TypeScriptNode at) => value switch
    {
        string text => text,
        decimal number => number.ToString(CultureInfo.InvariantCulture),
        bool truth => truth ? "true" : "false",
        null => "null",
        Nothing nothing => nothing.Text,
        _ => throw Because(value, at, "what is pasted here is no text and no number"),
    };

    private static string Short(string text, TypeScriptNode at) => text.Length <= LongestText ? text
        : throw new TypeScriptRefusal(at.Start, at.End, "this text is too long");

    private static object Add(object? left, object? right, TypeScriptNode at) =>
        left is decimal a && right is decimal b ? Sum(a, b, at)
        : left is string || right is string ? Short(TextOf(left, at) + TextOf(right, at), at)
        : throw Because(left is string or decimal ? right : left, at, "this addition is not read");

    private static decimal Sum(decimal a, decimal b, TypeScriptNode at)
    {
        const decimal Safe = 9_007_199_254_740_991;
        return decimal.IsInteger(a) && decimal.IsInteger(b) && Math.Abs(a + b) <= Safe ? a + b
            : throw new TypeScriptRefusal(at.Start, at.End, "this addition is not read");
    }

    private string Pasted(Template template, TypeScriptScope scope)
    {
        var text = template.Parts[0].Cooked;
        for (var i = 0; i < template.Values.Count; i++)
        {
            text = Short(text + TextOf(Eval(template.Values[i], scope), template.Values[i]) + template.Parts[i + 1].Cooked, template);
        }

        return template.Parts.All(part => part.Cooked is not null) ? text! : throw BadEscape(template);
    }

    private static TypeScriptRefusal BadEscape(Template template) =>
        new(template.Start, template.End, "an escape in it has no meaning, or an old one");

    /// <summary>A template with a tag: what is in <c>${…}</c> is a value for the server, not text.</summary>
    private object Tagged(Template template, TypeScriptScope scope)
    {
        var tag = Eval(template.Tag!, scope);
        if (tag is Handle { From: Origin.Global, Path: "String.raw" })
        {
            return Pasted(template with { Tag = null, Parts = [.. template.Parts.Select(part => ((string?)part.Raw, part.Raw))] }, scope);
        }

        if (tag is not Handle { From: Origin.Database or Origin.Library } maker)
        {
            throw Because(tag is Handle ? null : tag, template, "this tag is not known");
        }

        // Which of the two texts a library takes matters only where they differ.
        var isCooked = maker.IsWhole || (maker.From == Origin.Library && (maker.IsOf("drizzle-orm") || maker.IsOf("kysely")
            || maker.IsOf("@payloadcms/")));
        if (!isCooked && template.Parts.Any(part => part.Cooked != part.Raw))
        {
            throw new TypeScriptRefusal(template.Start, template.End, "what an escape means to this tag is not known");
        }

        var pieces = new List<object?> { new Verbatim(template.Parts[0].Cooked ?? throw BadEscape(template)) };
        for (var i = 0; i < template.Values.Count; i++)
        {
            pieces.AddRange(PiecesOf(Eval(template.Values[i], scope), template.Values[i]));
            pieces.Add(new Verbatim(template.Parts[i + 1].Cooked ?? throw BadEscape(template)));
        }

        return new Fragment(pieces, maker is { From: Origin.Database, IsWhole: true }, maker, template);
    }

    private static IReadOnlyList<object?> PiecesOf(object? value, TypeScriptNode at) => value switch
    {
        Fragment fragment => fragment.Pieces,
        null or string or decimal or bool => [value],
        _ => throw Because(value, at, "what is put in here is no text, number, true, false or null"),
    };

    /// <summary>What a library makes of names and texts to be put into SQL; null for what it has no such function for.</summary>
    private static Fragment? Helper(Handle handle, List<object?> arguments, Call call)
    {
        Fragment Made(params IReadOnlyList<object?> pieces) => new(pieces, false, handle, call);
        return (handle.Last, arguments) switch
        {
            ("raw", [string text]) => Made(new Verbatim(text)),
            ("identifier", [string name]) => Made(new Verbatim(Quoted([name], call))),
            ("identifier", [IReadOnlyList<object?> names]) => Made(new Verbatim(Quoted(names, call))),
            ("id", _) => Made(new Verbatim(Quoted(arguments, call))),
            ("ref" or "table", [string name]) => Made(new Verbatim(Quoted(name.Split('.'), call))),
            ("lit" or "literalValue", [string text]) => Made(new Verbatim(Sql.SqlLiteral.Quote(text))),
            ("lit", [null or decimal or bool]) => Made(new Verbatim(TextOf(arguments[0], call))),
            ("param" or "val" or "value", [null or string or decimal or bool]) => Made(arguments[0]),
            ("empty", []) => Made(new Verbatim("")),
            ("join", [IReadOnlyList<object?> items, Fragment between]) => Made([.. items.SelectMany((item, i) =>
                PiecesOf(item, call).Concat(i < items.Count - 1 ? between.Pieces : []))]),
            _ => null,
        };
    }

    private static string Quoted(IEnumerable<object?> names, TypeScriptNode at) => string.Join('.', names.Select(name =>
        name is string { Length: > 0 } text && !text.AsSpan().ContainsAny("\"\0") ? $"\"{text}\""
            : throw Because(name, at, "this is no name")));
}
