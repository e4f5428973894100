namespace ChatGenius.Db.Templates.Scriban;

/// <summary>Builds the tree of a template. This part knows statements and blocks.</summary>
internal sealed partial class ScribanParser
{
    /// <exception cref="ScribanSyntaxException">The first thing that is not of the language, or not supported.</exception>
    public static BlockStatement Parse(TemplateText source)
    {
        var parser = new ScribanParser(source, ScribanLexer.Read(source));
        var page = parser.ParseBlock();
        return parser.Current.Kind == TokenKind.EndOfText
            ? page
            : throw parser.Error($"There is no block that this `{parser.Current.Value}` belongs to");
    }

    /// <summary>Reads up to what ends a block: <c>end</c>, <c>else</c>, <c>when</c> or the end of the text; that stays current.</summary>
    /// <param name="isCase">Between <c>case</c> and the first <c>when</c>, where text is dropped and nothing else may stand.</param>
    private BlockStatement ParseBlock(bool isCase = false)
    {
        EnsureDepth();
        var start = Current.Start;
        var statements = new List<Statement>();
        while (Current is not { Kind: TokenKind.EndOfText } && !(Current.IsWord("end") || Current.IsWord("else") || Current.IsWord("when")))
        {
            switch (Current.Kind)
            {
                case TokenKind.NewLine or TokenKind.Semicolon:
                    Next();
                    break;
                case TokenKind.Raw when isCase:
                    Next();
                    break;
                case TokenKind.Raw:
                    statements.Add(new RawStatement(Span(Current), _source.Text[Current.Start..Current.End]));
                    Next();
                    break;
                case TokenKind.CodeEnter or TokenKind.CodeExit or TokenKind.EscapeEnter or TokenKind.EscapeExit:
                    statements.Add(ParseMark(statements));
                    break;
                default:
                    statements.Add(isCase
                        ? throw Error("Only `when` may follow a `case`")
                        : ParseStatement());
                    break;
            }
        }

        return new BlockStatement(_source.Span(start, Math.Max(start, PreviousEnd)), statements);
    }

    private BlockMark ParseMark(List<Statement> before)
    {
        var token = Current;
        var indent = token.Kind == TokenKind.CodeEnter && before is [.., RawStatement] ? FindIndent(_tokens[_index - 1].End) : null;
        Next();
        return new BlockMark(Span(token), token.Kind is TokenKind.CodeEnter or TokenKind.EscapeEnter, indent);
    }

    /// <summary>The white space from the start of the line up to here; null if there is anything else on the line.</summary>
    private string? FindIndent(int end)
    {
        var start = end;
        while (start > 0 && char.IsWhiteSpace(_source.Text[start - 1]) && _source.Text[start - 1] != '\n')
        {
            start--;
        }

        return start == 0 || _source.Text[start - 1] == '\n' ? _source.Text[start..end] : null;
    }

    private Statement ParseStatement()
    {
        var keyword = Current.Kind == TokenKind.Identifier ? (string)Current.Value! : "";
        switch (keyword)
        {
            case "if":
                return ParseIf();
            case "case":
                return ParseCase();
            case "for" when !PeekIs("."):
                return ParseFor();
            case "capture":
                return ParseCapture();
            case "break":
                return EndStatement(new BreakStatement(Span(Next())));
            case "continue":
                return EndStatement(new ContinueStatement(Span(Next())));
            case "ret":
                var start = Next().Start;
                var value = StartsExpression() ? ParseExpression() : null;
                return EndStatement(new ReturnStatement(SpanFrom(start), value));
            case "readonly":
                return ParseReadOnly();
            case "while" or "func" or "with" or "wrap" or "import" or "tablerow":
                throw Error($"`{keyword}` is not supported");
            default:
                var expression = ParseExpression(allowAssignment: true);
                return EndStatement(new ExpressionStatement(expression.Span, expression));
        }
    }

    private IfStatement ParseIf()
    {
        var start = Next().Start;
        var condition = ParseExpression();
        ExpectEndOfStatement();
        var then = ParseBlock();
        Statement? other = null;
        if (Current.IsWord("else") && _tokens[_index + 1].IsWord("if"))
        {
            Next();
            other = ParseIf();
        }
        else
        {
            other = ParseElseAndEnd(start);
        }

        return new IfStatement(SpanFrom(start), condition, then, other);
    }

    /// <summary>The end of a block, with an <c>else</c> before it or without.</summary>
    private BlockStatement? ParseElseAndEnd(int start)
    {
        BlockStatement? other = null;
        if (Current.IsWord("else"))
        {
            Next();
            ExpectEndOfStatement();
            other = ParseBlock();
        }

        ParseEnd(start);
        return other;
    }

    private void ParseEnd(int start)
    {
        if (Current.Kind == TokenKind.EndOfText)
        {
            throw new ScribanSyntaxException(_source.Span(start, start + 1), "The `end` of this block is missing");
        }

        if (!Current.IsWord("end"))
        {
            throw Error($"`{Current.Value}` does not belong here; `end` is expected");
        }

        Next();
        ExpectEndOfStatement();
    }

    private CaseStatement ParseCase()
    {
        var start = Next().Start;
        var value = ParseExpression();
        ExpectEndOfStatement();
        var body = ParseBlock(isCase: true);
        if (Current.IsWord("when"))
        {
            body = body with { Statements = [.. body.Statements, ParseWhen(start)] };
        }
        else
        {
            ParseEnd(start);
        }

        return new CaseStatement(SpanFrom(start), value, body);
    }

    private WhenStatement ParseWhen(int caseStart)
    {
        EnsureDepth();
        var start = Next().Start;
        var values = new List<Expression>();
        do
        {
            values.Add(ParseExpression(mode: Mode.When));
        }
        while (Accept(",") || Accept("||"));

        ExpectEndOfStatement();
        var body = ParseBlock();
        Statement? next = Current.IsWord("when") ? ParseWhen(caseStart) : ParseElseAndEnd(caseStart);
        return new WhenStatement(SpanFrom(start), values, body, next);
    }

    private ForStatement ParseFor()
    {
        var start = Next().Start;
        var variable = ExpectPath(ParseExpression(mode: Mode.Basic), "A variable is expected after `for`");
        if (!Current.IsWord("in"))
        {
            throw Error($"`in` is expected instead of {Describe(Current)}");
        }

        Next();
        var options = new List<NamedArgument>();
        var sequence = ParseExpression(options: options);
        if (options.Find(o => o.Name is not ("offset" or "limit" or "reversed")) is { } unknown)
        {
            throw new ScribanSyntaxException(unknown.Span, $"A `for` has no option `{unknown.Name}`; it has offset, limit and reversed");
        }

        ExpectEndOfStatement();
        var body = ParseBlock();
        var other = ParseElseAndEnd(start);
        return new ForStatement(SpanFrom(start), variable, sequence, options, body, other);
    }

    private CaptureStatement ParseCapture()
    {
        var start = Next().Start;
        var target = ExpectPath(ParseExpression(), "A variable is expected after `capture`");
        ExpectEndOfStatement();
        var body = ParseBlock();
        ParseEnd(start);
        return new CaptureStatement(SpanFrom(start), target, body);
    }

    private ReadOnlyStatement ParseReadOnly()
    {
        var start = Next().Start;
        return ParseExpression() is VariableExpression variable
            ? (ReadOnlyStatement)EndStatement(new ReadOnlyStatement(SpanFrom(start), variable))
            : throw new ScribanSyntaxException(SpanFrom(start), "A variable is expected after `readonly`");
    }

    private static PathExpression ExpectPath(Expression expression, string message) =>
        expression is PathExpression path and not ParenthesizedExpression
            ? path
            : throw new ScribanSyntaxException(expression.Span, message);

    private Statement EndStatement(Statement statement)
    {
        ExpectEndOfStatement();
        return statement;
    }

    private void ExpectEndOfStatement()
    {
        if (Current.Kind is TokenKind.NewLine or TokenKind.Semicolon)
        {
            Next();
        }
        else if (Current.Kind is not (TokenKind.CodeExit or TokenKind.EndOfText))
        {
            throw Error($"Unexpected {Describe(Current)}; the end of the statement is expected");
        }
    }
}
