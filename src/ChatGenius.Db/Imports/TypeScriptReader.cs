using System.Runtime.CompilerServices;
using System.Text;
using static ChatGenius.Db.Imports.TypeScriptNode;
using static ChatGenius.Db.Imports.TypeScriptValue;

namespace ChatGenius.Db.Imports;

/// <summary>
/// Follows what a migration in TypeScript or JavaScript would run, and runs nothing. It knows texts, lists and functions of the file, and
/// the calls that send SQL as it is written. What depends on anything else is a <see cref="TypeScriptRefusal"/>.
/// </summary>
internal sealed partial class TypeScriptReader
{
    private const string RowsDecide = "what runs here depends on rows of the database";
    private const int MostSteps = 200_000;

    private readonly string _text;
    private readonly IReadOnlySet<string> _changed;
    private readonly TypeScriptScope _module = new(null, isFunction: true);
    private readonly Dictionary<string, object?> _exports = new(StringComparer.Ordinal);

    private List<TypeScriptSql> _calls = [];
    private List<(TypeScriptNode Statement, int Calls)> _steps = [];
    private TypeScriptNode? _body;
    private bool _loading = true;
    private bool _committed;
    private bool _noTransaction;
    private bool? _queued;

    // The last call, where it was sent and nothing waits for it.
    private TypeScriptNode? _notAwaited;
    private int _count;

    private TypeScriptReader(string text, IReadOnlySet<string> changed) => (_text, _changed) = (text, changed);

    private sealed record Returned(object? Value);

    /// <summary>Reads a file.</summary>
    /// <exception cref="TypeScriptRefusal">It can't be read at all.</exception>
    public static TypeScriptMigration Read(string text)
    {
        var (statements, changed) = TypeScriptParser.Read(text);
        var reader = new TypeScriptReader(text, changed);
        reader.Load(statements);
        return reader.Migration();
    }

    /// <summary>Why a value can't be used.</summary>
    private static TypeScriptRefusal Because(object? value, TypeScriptNode at, string otherwise) => value switch
    {
        Unknown unknown => new TypeScriptRefusal(unknown.Start, unknown.End, unknown.Reason),
        Result result => new TypeScriptRefusal(result.Start, result.End, RowsDecide),
        Handle { From: not Origin.Global } handle => new TypeScriptRefusal(at.Start, at.End,
            $"this file does not say what {(handle.Path.Length > 0 ? handle.Path : "this")} is"),
        Query => new TypeScriptRefusal(
            at.Start, at.End, "whether this call runs, and when, is not known: it is not awaited where it is made"),
        _ => new TypeScriptRefusal(at.Start, at.End, otherwise),
    };

    /// <summary>Why something that is not followed can't be read: for what it depends on, if that is known.</summary>
    private TypeScriptRefusal Because(TypeScriptNode node, TypeScriptScope scope, string otherwise)
    {
        var names = node.All().OfType<Identifier>().Select(name => Try(() => Lookup(name, scope)));
        return Because(names.FirstOrDefault(value => value is Result) ?? names.FirstOrDefault(value => value is Unknown), node, otherwise);
    }

    private void Load(IReadOnlyList<TypeScriptNode> statements)
    {
        Hoist(statements, _module);
        foreach (var statement in statements)
        {
            switch (statement)
            {
                case Expression { Value: Operation { Sign: "=", Left: Member left, Right: { } value } } when ExportedAs(left) is { } name:
                    Assign(name, value);
                    break;
                case Expression { Value: Literal { Value: string } } or Unread:
                case Expression { Value: Call { Callee: Member { Of: Identifier { Text: "Object" }, Name: "defineProperty" } } call }
                    when call.Arguments is [Identifier { Text: "exports" }, ..]:
                    break;
                case Declaration declaration:
                    Declare(declaration, _module);
                    break;
                case Export { Statement: Declaration declaration }:
                    Declare(declaration, _module);
                    break;
                case Export or Block { Statements: [] }:
                    break;
                default:
                    throw new TypeScriptRefusal(statement.Start, statement.End, "this runs as the file is loaded") { Always = true };
            }
        }

        foreach (var (name, value) in statements.OfType<Export>().SelectMany(export => export.Names))
        {
            Assign(name, value);
        }
    }

    /// <summary>What an assignment exports: <c>exports.NAME</c>, <c>module.exports.NAME</c>, or <c>default</c> for all of it.</summary>
    private static string? ExportedAs(Member target) => target switch
    {
        { Of: Identifier { Text: "exports" }, Name: { } name } => name,
        { Of: Identifier { Text: "module" }, Name: "exports" } => "default",
        { Of: Member { Of: Identifier { Text: "module" }, Name: "exports" }, Name: { } name } => name,
        _ => null,
    };

    private void Assign(string name, TypeScriptNode value)
    {
        if (name == "default" && value is Map map)
        {
            // One entry that is not known must not hide the others.
            foreach (var (key, entry) in map.Entries)
            {
                _exports[key ?? throw Because(entry, _module, "what is exported here is not known")] = Try(() => Eval(entry, _module));
            }

            return;
        }

        _exports[name] = Try(() => Eval(value, _module));
    }

    /// <summary>Functions have their value from the start of their block on. Other names have no value before their declaration, and
    /// an outer name is not taken instead.</summary>
    private static void Hoist(IReadOnlyList<TypeScriptNode> statements, TypeScriptScope scope)
    {
        foreach (var declaration in statements.Select(one => one is Export export ? export.Statement : one).OfType<Declaration>())
        {
            foreach (var (pattern, value) in declaration.Names)
            {
                foreach (var name in pattern.All().OfType<Identifier>())
                {
                    scope.Set(name.Text, value switch
                    {
                        Function { Body: Block } function => new Closure(function, scope, null),
                        _ => new Unknown(name.Start, name.End, $"{name.Text} is used before it has a value"),
                    });
                }
            }
        }
    }

    private void Declare(Declaration declaration, TypeScriptScope scope)
    {
        if (declaration.Word == "var" && !scope.IsFunction)
        {
            throw new TypeScriptRefusal(declaration.Start, declaration.End, "a var in a block is not read");
        }

        foreach (var (pattern, node) in declaration.Names)
        {
            if (declaration.Word == "function")
            {
                continue;
            }

            var value = node is null ? new Unknown(pattern.Start, pattern.End, "this has no value yet")
                : scope == _module ? Try(() => Eval(node, scope)) : Eval(node, scope);
            Bind(pattern, value is Result ? new Result(pattern.Start, pattern.End) : value, scope);
        }
    }

    private void Bind(TypeScriptNode pattern, object? value, TypeScriptScope scope)
    {
        RefusePending(value, pattern);
        switch (pattern)
        {
            case Identifier name:
                scope.Set(name.Text, value);
                break;
            case Operation { Sign: "=", Left: var target, Right: { } standard }:
                Bind(target, value is Nothing ? Eval(standard, scope) : value, scope);
                break;
            case Operation { Sign: "...", Left: var target }:
                Bind(target, new Unknown(pattern.Start, pattern.End, "the rest of something is not read"), scope);
                break;
            case List list:
                for (var i = 0; i < list.Items.Count; i++)
                {
                    if (list.Items[i] is not Unread)
                    {
                        Bind(list.Items[i], value is IReadOnlyList<object?> items ? i < items.Count ? items[i] : Undefined
                            : value is Result or Unknown ? value : throw Because(value, pattern, "this is not taken apart"), scope);
                    }
                }

                break;
            case Map map:
                foreach (var (key, target) in map.Entries)
                {
                    Bind(target, key is null ? new Unknown(target.Start, target.End, "the rest of something is not read")
                        : MemberOf(value, key, pattern), scope);
                }

                break;
            default:
                throw new TypeScriptRefusal(pattern.Start, pattern.End, "this is not read");
        }
    }

    /// <summary>When a call runs that is kept is not known: as it is made in one library, when it is awaited in another.</summary>
    private static void RefusePending(object? value, TypeScriptNode at)
    {
        if (value is Query or Promised || (value is IReadOnlyList<object?> list && list.Any(one => one is Query or Promised)))
        {
            throw Because(new Query("", [], at), at, "");
        }
    }

    private Returned? ExecAll(IReadOnlyList<TypeScriptNode> statements, TypeScriptScope scope, bool isBody)
    {
        Hoist(statements, scope);
        foreach (var statement in statements)
        {
            if (isBody)
            {
                _steps.Add((statement, _calls.Count));
            }

            if (Exec(statement, scope) is { } returned)
            {
                return returned;
            }
        }

        return null;
    }

    private void Step(TypeScriptNode node)
    {
        if (++_count > MostSteps || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw new TypeScriptRefusal(node.Start, node.End, "this takes too long to follow") { Always = true };
        }
    }

    private Returned? Exec(TypeScriptNode statement, TypeScriptScope scope)
    {
        Step(statement);
        switch (statement)
        {
            case Declaration declaration:
                Declare(declaration, scope);
                return null;
            case Expression { Value: var node }:
                var value = Eval(node, scope);
                if (value is Query { IsSentAtOnce: true } sent)
                {
                    Record(sent);
                    _notAwaited = sent.At;
                    return null;
                }

                RefusePending(value, node);
                _ = value is Fragment fragment ? throw Inert(fragment) : true;
                return null;
            case Exit { IsThrow: true } exit:
                throw new TypeScriptRefusal(exit.Start, exit.End, "it throws an error here")
                {
                    Thrown = exit.Value is Call { Arguments: [var message, ..] }
                        ? Try(() => Eval(message, scope)) as string ?? "" : "",
                };
            case Exit exit:
                return new Returned(exit.Value is null ? Undefined : Eval(exit.Value, scope));
            case Block block:
                return ExecAll(block.Statements, new TypeScriptScope(scope, false), isBody: false);
            case Choice choice when ReferenceEquals(Try(() => Eval(choice.Test, scope)), NoError):
                return choice.Else is null ? null : Exec(choice.Else, scope);
            case Choice choice:
                throw Because(choice.Test, scope, "a condition decides what runs");
            case Loop loop:
                return ExecLoop(loop, scope);
            case Attempt attempt:
                return ExecAttempt(attempt, scope);
            case Unread:
                return null;
            default:
                throw new TypeScriptRefusal(statement.Start, statement.End, "this is not read");
        }
    }

    private Returned? ExecLoop(Loop loop, TypeScriptScope scope)
    {
        var over = Eval(loop.Over, scope);
        foreach (var item in over as IReadOnlyList<object?> ?? throw Because(over, loop.Over, "what it loops over is not known"))
        {
            var inner = new TypeScriptScope(scope, false);
            Bind(loop.Pattern, item, inner);
            if (Exec(loop.Body, inner) is { } returned)
            {
                return returned;
            }
        }

        return null;
    }

    /// <summary>An error that is passed on ends the migration, as it does here; one that is swallowed would not.</summary>
    private Returned? ExecAttempt(Attempt attempt, TypeScriptScope scope)
    {
        if (attempt.Catch is { } handler && !PassesOn(handler, scope))
        {
            throw new TypeScriptRefusal(handler.Start, handler.End, "an error would be swallowed here");
        }

        var returned = Exec(attempt.Body, scope);
        if (returned is { Value: Query or Fragment })
        {
            // What is returned from here runs before what comes last.
            returned = new Returned(Settle(returned.Value, attempt));
        }

        return attempt.Finally is null ? returned : Exec(attempt.Finally, scope) ?? returned;
    }

    /// <summary>Whether it only says something, rolls back, and throws or calls back with the error.</summary>
    private bool PassesOn(Block handler, TypeScriptScope scope)
    {
        var last = handler.Statements is [.., var end] ? end : null;
        var called = ((last as Expression)?.Value ?? (last as Exit)?.Value) as Call;
        return (last is Exit { IsThrow: true } || (called is { Callee: Identifier name, Arguments.Count: > 0 }
                && Lookup(name, scope) is Handle { From: Origin.Second }))
            && handler.Statements.SkipLast(1).All(OnlyTellsOrUndoes);
    }

    private static bool OnlyTellsOrUndoes(TypeScriptNode statement) => statement is Expression { Value: var value }
        && (value is Operation { Sign: "await", Left: var left } ? left : value) is Call { Callee: Member { Name: { } method } of } call
        && (of.Of is Identifier { Text: "console" } || EndsConnection(method) || method is "rollback" or "rollbackTransaction"
            || (method == "query" && call.Arguments is [Literal { Value: string text }]
                && text.Trim().TrimEnd(';').Equals("ROLLBACK", StringComparison.OrdinalIgnoreCase)));

    private static bool EndsConnection(string method) => method is "release" or "end" or "close" or "destroy" or "disconnect";

    /// <summary>Calls a function of the file.</summary>
    private object? Invoke(Closure closure, List<object?> arguments, TypeScriptNode at)
    {
        Step(at);
        var function = closure.Function;
        if (function.IsGenerator)
        {
            throw new TypeScriptRefusal(at.Start, at.End, "a generator is not read");
        }

        var scope = new TypeScriptScope(closure.Scope, true);
        if (closure.This is { } instance)
        {
            scope.Set("this", instance);
        }

        for (var i = 0; i < function.Parameters.Count; i++)
        {
            Bind(function.Parameters[i], i < arguments.Count ? arguments[i] : Undefined, scope);
        }

        var value = function.Body is Block block
            ? ExecAll(block.Statements, scope, isBody: ReferenceEquals(block, _body))?.Value ?? Undefined
            : Eval(function.Body, scope);
        return function.IsAsync ? new Promised(Settle(value, at)) : value;
    }

    private static TypeScriptRefusal Inert(Fragment fragment) => new(fragment.At.Start, fragment.At.End,
        fragment.Maker is { HasInertTag: true } ? $"this runs nothing: {fragment.Maker.Module} only makes an object of it"
            : "whether this runs is not known: it is not passed to a call that runs it",
        "Pass it to execute, or take it out if it was not meant to run.");

    private int IndentAt(int start)
    {
        var line = _text.LastIndexOfAny(['\n', '\r'], Math.Max(start - 1, 0), Math.Max(start - 1, 0)) + 1;
        var text = _text.AsSpan(line, start - line);
        return text.Length - text.TrimStart().Length;
    }
}
