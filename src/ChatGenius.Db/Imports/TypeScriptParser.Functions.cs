using static ChatGenius.Db.Imports.TypeScriptNode;
using Kind = ChatGenius.Db.Imports.TypeScriptTokenKind;

namespace ChatGenius.Db.Imports;

/// <summary>Reads functions.</summary>
internal sealed partial class TypeScriptParser
{
    /// <summary>Whether an arrow function begins here.</summary>
    private bool IsArrow(out bool isAsync)
    {
        isAsync = Is("async") && !Ahead(1).AfterLineBreak && (Ahead(1).Kind == Kind.Name || Ahead(1).Is("(") || Ahead(1).Is("<"));
        var before = _at;
        _at += isAsync ? 1 : 0;
        try
        {
            if (Now.Kind == Kind.Name && Ahead(1).Is("=>"))
            {
                return true;
            }

            if ((Is("<") && !TrySkipTypeArguments()) || !Is("(") || !TrySkipBrackets())
            {
                return isAsync = false;
            }

            if (Take(":"))
            {
                SkipType();
            }

            return Is("=>") || (isAsync = false);
        }
        catch (TypeScriptRefusal)
        {
            // What follows the colon is no type, so it is no function.
            return isAsync = false;
        }
        finally
        {
            _at = before;
        }
    }

    private Function ArrowRest(int start, bool isAsync)
    {
        List<TypeScriptNode> parameters = Now.Kind == Kind.Name ? [new Identifier(Now.Start, Now.End, TakeName())] : Parameters();
        if (Take(":"))
        {
            SkipType();
        }

        Need("=>");
        TypeScriptNode body = Is("{") ? BlockOf() : Value();
        return new Function(start, LastEnd, parameters, body, isAsync, false);
    }

    private Function FunctionOf(bool isDeclaration)
    {
        var start = Now.Start;
        var isAsync = Take("async");
        Need("function");
        var isGenerator = Take("*");
        _at += Now.Kind == Kind.Name ? 1 : 0;
        return FunctionRest(start, isAsync, isGenerator, mayLackBody: isDeclaration);
    }

    /// <summary>A function from its parameters on. Overloads, and methods of an abstract class, have no body.</summary>
    private Function FunctionRest(int start, bool isAsync, bool isGenerator, bool mayLackBody)
    {
        var parameters = Parameters();
        if (Take(":"))
        {
            SkipType();
        }

        if (mayLackBody && !Is("{"))
        {
            EndStatement();
            return new Function(start, LastEnd, parameters, new Unread(start, LastEnd, "a function without a body"), isAsync, isGenerator);
        }

        return new Function(start, LastEnd, parameters, BlockOf(), isAsync, isGenerator) { End = LastEnd };
    }

    private List<TypeScriptNode> Parameters()
    {
        SkipTypeArguments();
        var parameters = new List<TypeScriptNode>();
        for (Need("("); !Take(")"); _ = Take(",") || Is(")") ? true : throw Refuse())
        {
            while (Now.Kind == Kind.Name && (Modifiers.Contains(Now.Text) || Now.Text.StartsWith('@')) && Ahead(1).Kind == Kind.Name)
            {
                _at++;
            }

            var pattern = Pattern();
            parameters.Add(Take("=") ? new Operation(pattern.Start, LastEnd, "=", pattern, Value()) : pattern);
        }

        return parameters;
    }
}
