using Kind = ChatGenius.Db.Imports.TypeScriptTokenKind;

namespace ChatGenius.Db.Imports;

/// <summary>Passes over types: they say nothing about what runs.</summary>
internal sealed partial class TypeScriptParser
{
    private void SkipType()
    {
        NeedStack();
        do
        {
            _ = Take("|") || Take("&");
            while (Now.Kind == Kind.Name
                && Now.Text is "keyof" or "typeof" or "readonly" or "unique" or "infer" or "new" or "asserts" or "abstract"
                && Ahead(1).Kind is Kind.Name or Kind.Sign && !EndsName(Ahead(1)) && !Ahead(1).Is(")") && !Ahead(1).Is("=>"))
            {
                _at++;
            }

            SkipOneType();
        }
        while (Is("|") || Is("&"));

        if (Is("extends"))
        {
            _at++;
            SkipType();
            Need("?");
            SkipType();
            Need(":");
            SkipType();
        }
    }

    private void SkipOneType()
    {
        SkipTypeArguments();
        if (Is("("))
        {
            SkipBrackets();
            if (Take("=>"))
            {
                SkipType();
                return;
            }
        }
        else if (Is("{") || Is("["))
        {
            SkipBrackets();
        }
        else
        {
            _ = Take("-");
            _at += Now.Kind is Kind.Name or Kind.String or Kind.Number or Kind.Template ? 1 : throw Refuse();
            while (Take("."))
            {
                TakeName();
            }

            if (Is("(") && _tokens[_at - 1].Is("import"))
            {
                SkipBrackets();
                while (Take("."))
                {
                    TakeName();
                }
            }

            SkipTypeArguments();
        }

        while (Is("[") && !Now.AfterLineBreak)
        {
            SkipBrackets();
        }

        if (Now is { Kind: Kind.Name, Text: "is", AfterLineBreak: false })
        {
            _at++;
            SkipType();
        }
    }

    /// <summary>Passes over <c>&lt;…&gt;</c>, if there is one.</summary>
    private void SkipTypeArguments()
    {
        if (Is("<") && !TrySkipTypeArguments())
        {
            throw Refuse();
        }
    }

    /// <summary>Passes over <c>&lt;…&gt;</c> where that can be types; otherwise nothing is passed over.</summary>
    private bool TrySkipTypeArguments()
    {
        var before = _at;
        try
        {
            _at++;
            while (!Take(">"))
            {
                _ = Take(",");
                if (!Is(">"))
                {
                    SkipType();
                    if (Take("="))
                    {
                        SkipType();
                    }
                }
            }

            return true;
        }
        catch (TypeScriptRefusal)
        {
            _at = before;
            return false;
        }
    }

    private void SkipBrackets()
    {
        if (!TrySkipBrackets())
        {
            throw Refuse("this is not closed");
        }
    }

    /// <summary>Passes over a bracket with all that is in it.</summary>
    private bool TrySkipBrackets()
    {
        var end = (_ends ??= EndsOfBrackets())[_at];
        _at = end > 0 ? end : _at;
        return end > 0;
    }

    /// <summary>For each bracket what follows the one that closes it, or 0: found once, because of nested ones each is asked for.</summary>
    private int[] EndsOfBrackets()
    {
        var ends = new int[_tokens.Count];
        var open = new Stack<int>();
        for (var i = 0; i < ends.Length; i++)
        {
            switch (_tokens[i].Kind == Kind.Sign ? _tokens[i].Text : "")
            {
                case "(" or "[" or "{":
                    open.Push(i);
                    break;
                case ")" or "]" or "}" when open.TryPop(out var start):
                    ends[start] = i + 1;
                    break;
            }
        }

        return ends;
    }
}
