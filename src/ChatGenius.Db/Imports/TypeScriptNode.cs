namespace ChatGenius.Db.Imports;

/// <summary>A piece of a file as the parser sees it; offsets are in characters.</summary>
internal abstract record TypeScriptNode(int Start, int End)
{
    /// <summary>It and all that it is made of.</summary>
    public IEnumerable<TypeScriptNode> All()
    {
        // Not by recursion: a row of additions is as deep as it is long.
        var open = new Stack<TypeScriptNode>([this]);
        while (open.TryPop(out var node))
        {
            yield return node;
            foreach (var part in node.Children().Reverse())
            {
                open.Push(part);
            }
        }
    }

    private IEnumerable<TypeScriptNode> Children() => this switch
    {
        Template template => template.Tag is null ? template.Values : template.Values.Append(template.Tag),
        Member member => member.Key is null ? [member.Of] : [member.Of, member.Key],
        Call call => call.Arguments.Append(call.Callee),
        List list => list.Items,
        Map map => map.Entries.Select(entry => entry.Value),
        Function function => [function.Body],
        Operation operation => operation.Right is null ? [operation.Left] : [operation.Left, operation.Right],
        Block block => block.Statements,
        Declaration declaration => declaration.Names.Select(name => name.Value).OfType<TypeScriptNode>(),
        Expression expression => [expression.Value],
        Exit exit => exit.Value is null ? [] : [exit.Value],
        Choice choice => choice.Else is null ? [choice.Test, choice.Then] : [choice.Test, choice.Then, choice.Else],
        Loop loop => [loop.Over, loop.Body],
        Attempt attempt => ((TypeScriptNode?[])[attempt.Body, attempt.Catch, attempt.Finally]).OfType<TypeScriptNode>(),
        _ => [],
    };

    /// <summary>A text, a number, true or false; null for null and for what only has to be passed over.</summary>
    internal sealed record Literal(int Start, int End, object? Value) : TypeScriptNode(Start, End);

    /// <summary>A template, with a tag or without.</summary>
    internal sealed record Template(
        int Start, int End, TypeScriptNode? Tag, IReadOnlyList<(string? Cooked, string Raw)> Parts, IReadOnlyList<TypeScriptNode> Values)
        : TypeScriptNode(Start, End);

    /// <summary>A name that something is called by.</summary>
    internal sealed record Identifier(int Start, int End, string Text) : TypeScriptNode(Start, End);

    /// <summary><c>of.name</c>, or <c>of[key]</c>.</summary>
    internal sealed record Member(int Start, int End, TypeScriptNode Of, string? Name, TypeScriptNode? Key) : TypeScriptNode(Start, End);

    /// <summary>A call, or <c>new</c>.</summary>
    internal sealed record Call(int Start, int End, TypeScriptNode Callee, IReadOnlyList<TypeScriptNode> Arguments, bool IsNew)
        : TypeScriptNode(Start, End);

    /// <summary><c>[…]</c>, as a value or as a pattern.</summary>
    internal sealed record List(int Start, int End, IReadOnlyList<TypeScriptNode> Items) : TypeScriptNode(Start, End);

    /// <summary><c>{…}</c>, as a value or as a pattern; a null key for <c>...rest</c> and for keys that are computed.</summary>
    internal sealed record Map(int Start, int End, IReadOnlyList<(string? Key, TypeScriptNode Value)> Entries) : TypeScriptNode(Start, End);

    /// <summary>A function; its body is a <see cref="Block"/> or a value.</summary>
    internal sealed record Function(
        int Start, int End, IReadOnlyList<TypeScriptNode> Parameters, TypeScriptNode Body, bool IsAsync, bool IsGenerator)
        : TypeScriptNode(Start, End);

    /// <summary>A class: its methods, and its fields with the values that they begin with.</summary>
    internal sealed record Class(int Start, int End, IReadOnlyDictionary<string, TypeScriptNode?> Members) : TypeScriptNode(Start, End);

    /// <summary>A sign with one or two operands; assignments, <c>await</c> and <c>...</c> too.</summary>
    internal sealed record Operation(int Start, int End, string Sign, TypeScriptNode Left, TypeScriptNode? Right)
        : TypeScriptNode(Start, End);

    /// <summary>Statements in braces.</summary>
    internal sealed record Block(int Start, int End, IReadOnlyList<TypeScriptNode> Statements) : TypeScriptNode(Start, End);

    /// <summary><c>const</c>, <c>let</c> and <c>var</c>; functions, classes and imports too.</summary>
    internal sealed record Declaration(
        int Start, int End, string Word, IReadOnlyList<(TypeScriptNode Pattern, TypeScriptNode? Value)> Names)
        : TypeScriptNode(Start, End);

    /// <summary>What another module gives: <c>*</c> is all of it, <c>default</c> its main thing.</summary>
    internal sealed record Imported(int Start, int End, string Module, string Name) : TypeScriptNode(Start, End);

    /// <summary>A value as a statement.</summary>
    internal sealed record Expression(int Start, int End, TypeScriptNode Value) : TypeScriptNode(Start, End);

    /// <summary><c>return</c> and <c>throw</c>.</summary>
    internal sealed record Exit(int Start, int End, bool IsThrow, TypeScriptNode? Value) : TypeScriptNode(Start, End);

    /// <summary><c>if</c>.</summary>
    internal sealed record Choice(int Start, int End, TypeScriptNode Test, TypeScriptNode Then, TypeScriptNode? Else)
        : TypeScriptNode(Start, End);

    /// <summary><c>for (const x of y)</c>.</summary>
    internal sealed record Loop(int Start, int End, TypeScriptNode Pattern, TypeScriptNode Over, TypeScriptNode Body)
        : TypeScriptNode(Start, End);

    /// <summary><c>try</c>.</summary>
    internal sealed record Attempt(int Start, int End, Block Body, Block? Catch, Block? Finally) : TypeScriptNode(Start, End);

    /// <summary><c>export</c>: what under which name.</summary>
    internal sealed record Export(int Start, int End, IReadOnlyList<(string Name, TypeScriptNode Value)> Names, TypeScriptNode? Statement)
        : TypeScriptNode(Start, End);

    /// <summary>What is passed over, and refused where it would be run.</summary>
    internal sealed record Unread(int Start, int End, string What) : TypeScriptNode(Start, End);
}
