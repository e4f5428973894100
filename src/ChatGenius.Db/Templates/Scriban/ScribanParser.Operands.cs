using System.Globalization;

namespace ChatGenius.Db.Templates.Scriban;

internal sealed partial class ScribanParser
{
    private bool StartsExpression() => Current.Kind switch
    {
        TokenKind.Identifier or TokenKind.Local or TokenKind.Number or TokenKind.String or TokenKind.InterpolationBegin => true,
        TokenKind.Symbol => Current.Value is "(" or "[" or "{" or "!" or "-" or "+" or "@" or "^" or "++" or "--",
        _ => false,
    };

    private Expression ParseOperand()
    {
        var token = Current;
        switch (token.Kind)
        {
            case TokenKind.Number or TokenKind.String:
                return new LiteralExpression(Span(Next()), token.Value);
            case TokenKind.InterpolationBegin:
                return ParseInterpolatedString();
            case TokenKind.Identifier:
                return ParseIdentifier();
            case TokenKind.Local:
                return ParseLocal();
            case TokenKind.Symbol:
                switch ((string)token.Value!)
                {
                    case "(":
                        return ParseParentheses();
                    case "[":
                        return ParseArray();
                    case "{":
                        return ParseObject();
                    case "!" or "-" or "+" or "@" or "^":
                        Next();

                        // What follows a function that is passed on are the next arguments, not its own.
                        var operand = ParseExpression(UnaryPrecedence, token.Is("@") ? Mode.Basic : Mode.Default);
                        return new UnaryExpression(SpanFrom(token.Start), (string)token.Value, operand);
                    case "++" or "--":
                        throw Error($"The operator {token.Value} is not supported");
                }

                break;
        }

        throw Error($"An expression is expected instead of {Describe(token)}");
    }

    private Expression ParseIdentifier()
    {
        var token = Next();
        var span = Span(token);
        var name = (string)token.Value!;
        switch (name)
        {
            case "null":
                return new LiteralExpression(span, null);
            case "true":
                return new LiteralExpression(span, true);
            case "false":
                return new LiteralExpression(span, false);
            case "this":
                return new ThisExpression(span);
            case "do":
                throw new ScribanSyntaxException(span, "`do` is not supported");
            case "while" or "tablerow" when Current.Is("."):
                throw new ScribanSyntaxException(span, $"`{name}` is not supported");
            case "for" when Current.Is("."):
                var member = _tokens[_index + 1];
                return member.Value is "first" or "even" or "odd" or "index" or "last" or "changed" or "length" or "rindex"
                    ? new VariableExpression(span, "for", IsLocal: false)
                    : throw new ScribanSyntaxException(Span(member), $"A loop has no `for.{member.Value}`");
            default:
                return new VariableExpression(span, name, IsLocal: false);
        }
    }

    private PathExpression ParseLocal()
    {
        var token = Next();
        var name = (string)token.Value!;
        if (Current.Kind == TokenKind.Local && Current.Start == token.End)
        {
            throw new ScribanSyntaxException(Span(token), "`$$` is not supported");
        }

        return int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            ? new IndexExpression(Span(token), new VariableExpression(Span(token), "", IsLocal: true), new LiteralExpression(Span(token), index))
            : new VariableExpression(Span(token), name, IsLocal: true);
    }

    private ParenthesizedExpression ParseParentheses()
    {
        var start = Next().Start;
        var inner = ParseExpression();
        Expect(")");
        return new ParenthesizedExpression(SpanFrom(start), inner);
    }

    private InterpolatedString ParseInterpolatedString()
    {
        var start = Current.Start;
        var parts = new List<Expression>();
        while (true)
        {
            var text = Current;
            if (text.Kind is not (TokenKind.InterpolationBegin or TokenKind.InterpolationMiddle or TokenKind.InterpolationEnd))
            {
                throw Error($"`}}` is expected instead of {Describe(text)}");
            }

            parts.Add(new LiteralExpression(Span(Next()), text.Value));
            if (text.Kind == TokenKind.InterpolationEnd)
            {
                return new InterpolatedString(SpanFrom(start), parts);
            }

            parts.Add(ParseExpression());
        }
    }

    private ArrayInitializer ParseArray()
    {
        var start = Current.Start;
        var items = new List<Expression>();
        _skipNewLines++;
        Next();
        while (!Current.Is("]"))
        {
            items.Add(ParseExpression());
            if (!Accept(","))
            {
                break;
            }
        }

        // The line end behind the bracket counts again.
        _skipNewLines--;
        Expect("]");
        return new ArrayInitializer(SpanFrom(start), items);
    }

    private ObjectInitializer ParseObject()
    {
        var start = Current.Start;
        var members = new List<(string, Expression)>();
        _skipNewLines++;
        Next();
        while (!Current.Is("}"))
        {
            if (Current.Kind is not (TokenKind.Identifier or TokenKind.String))
            {
                throw Error($"The name of a member is expected instead of {Describe(Current)}");
            }

            var name = (string)Next().Value!;
            Expect(":");
            members.Add((name, ParseExpression()));
            if (!Accept(","))
            {
                break;
            }
        }

        _skipNewLines--;
        Expect("}");
        return new ObjectInitializer(SpanFrom(start), members);
    }
}
