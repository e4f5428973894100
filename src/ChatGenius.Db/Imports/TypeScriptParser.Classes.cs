using static ChatGenius.Db.Imports.TypeScriptNode;
using Kind = ChatGenius.Db.Imports.TypeScriptTokenKind;
using Token = ChatGenius.Db.Imports.TypeScriptToken;

namespace ChatGenius.Db.Imports;

/// <summary>Reads classes.</summary>
internal sealed partial class TypeScriptParser
{
    private Class ClassOf()
    {
        var start = Now.Start;
        Need("class");
        while (!Is("{"))
        {
            // The name, and what it extends and implements.
            _at += Now.Kind == Kind.End ? throw Refuse() : 1;
        }

        var members = new Dictionary<string, TypeScriptNode?>(StringComparer.Ordinal);
        for (Need("{"); !Take("}");)
        {
            if (!Take(";"))
            {
                var (name, value) = ClassMember();
                if (value is Function { Body: Block } || !members.ContainsKey(name))
                {
                    // An overload has no body.
                    members[name] = value;
                }
            }
        }

        return new Class(start, LastEnd, members);
    }

    private (string Name, TypeScriptNode? Value) ClassMember()
    {
        var isStatic = false;
        while (Now.Kind == Kind.Name && (Now.Text.StartsWith('@') || (Modifiers.Contains(Now.Text) && !EndsName(Ahead(1)))))
        {
            isStatic |= Is("static");
            var decorates = Now.Text.StartsWith('@');
            _at++;
            if (decorates && Is("("))
            {
                SkipBrackets();
            }
        }

        if ((Is("get") || Is("set")) && !EndsName(Ahead(1)))
        {
            throw Refuse("a getter or setter is not read");
        }

        var key = MethodKey(out var isAsync, out var isGenerator);
        _ = Take("?") || Take("!");
        key = isStatic ? $"static {key}" : key;
        if (Is("(") || Is("<"))
        {
            return (key, FunctionRest(Now.Start, isAsync, isGenerator, mayLackBody: true));
        }

        if (Take(":"))
        {
            SkipType();
        }

        var value = Take("=") ? Value() : null;
        EndStatement();
        return (key, value);
    }

    private static bool EndsName(Token token) =>
        token.Kind == Kind.Sign && token.Text is "(" or "=" or ":" or ";" or "}" or "," or "<" or "?" or "!";

    /// <summary>The name of a method or of an entry, with what stands before it.</summary>
    private string MethodKey(out bool isAsync, out bool isGenerator)
    {
        isAsync = Is("async") && !EndsName(Ahead(1)) && Take("async");
        isGenerator = Take("*");
        return Now.Kind is Kind.Name or Kind.String or Kind.Number ? _tokens[_at++].Text : throw Refuse("a computed name is not read");
    }
}
