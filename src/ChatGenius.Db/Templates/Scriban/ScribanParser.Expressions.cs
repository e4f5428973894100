namespace ChatGenius.Db.Templates.Scriban;

/// <summary>
/// Scriban calls functions without parentheses, so that whether a token goes on with an expression depends on where the
/// expression stands; the flags of <see cref="ParseExpression"/> carry that.
/// </summary>
internal sealed partial class ScribanParser
{
    private enum Mode
    {
        Default,

        /// <summary>A value with its members and indexes, and nothing else.</summary>
        Basic,

        /// <summary>Inside <c>? :</c>, where a colon belongs to the condition.</summary>
        NoNamedArgument,

        /// <summary>After <c>when</c>, where <c>||</c> separates values.</summary>
        When,
    }

    private const int UnaryPrecedence = 200;

    /// <param name="precedence">Operators that bind no tighter than this are left to the caller; 0 also allows pipes and conditions.</param>
    /// <param name="mode">What may stand here.</param>
    /// <param name="afterPipe">Whether this is what a value is piped to.</param>
    /// <param name="isArgument">Whether this is the operand of an operator among a call's arguments, where what follows is the next one.</param>
    /// <param name="allowAssignment">Only as a statement of its own.</param>
    /// <param name="options">Takes the options of a <c>for</c>.</param>
    private Expression ParseExpression(
        int precedence = 0,
        Mode mode = Mode.Default,
        bool afterPipe = false,
        bool isArgument = false,
        bool allowAssignment = false,
        List<NamedArgument>? options = null)
    {
        EnsureDepth();
        var start = Current.Start;
        PendingCall? call = null;
        var left = ParseOperand();
        while (true)
        {
            if (TryParsePostfix(ref left))
            {
                continue;
            }

            if (mode == Mode.Basic)
            {
                return left;
            }

            if (Current.Is(":") && mode != Mode.NoNamedArgument && left is VariableExpression { IsLocal: false } name)
            {
                Next();
                left = new NamedArgument(SpanFrom(start), name.Name, ParseExpression());
                break;
            }

            if (allowAssignment && call is null && AssignmentOperator() is { } assignment)
            {
                return ParseAssignment(left, assignment, start);
            }

            if (Current.Kind == TokenKind.Symbol && BinaryPrecedence((string)Current.Value!) is var binary and > 0)
            {
                if (binary <= precedence || (mode == Mode.When && Current.Is("||")))
                {
                    break;
                }

                var token = Next();
                var right = ParseExpression(binary, mode == Mode.When ? Mode.Default : mode, isArgument: call is not null || isArgument);
                left = new BinaryExpression(_source.Span(StartOf(left), PreviousEnd), Span(token), (string)token.Value!, left, right);
                continue;
            }

            if (Current.Is("?"))
            {
                if (precedence > 0)
                {
                    break;
                }

                left = ParseConditional(Finish(ref call, left, start));
                break;
            }

            if (StartsExpression())
            {
                if (isArgument)
                {
                    break;
                }

                RefuseLiquidOperators();
                if (options is not null && Current.Kind == TokenKind.Identifier)
                {
                    left = ParseForOptions(call, left, options);
                    break;
                }

                if (Current.Is("(") && IsAdjacent)
                {
                    left = ParseExplicitCall(left);
                    continue;
                }

                (call ??= new PendingCall(left)).AddUnlessTarget(left);
                if (!ParseNamedArguments(call))
                {
                    left = ParseOperand();
                    continue;
                }

                if (StartsExpression())
                {
                    throw Error("An argument without a name can't follow one with a name");
                }

                left = call.ToExpression(SpanFrom(start));
                call = null;
                if (precedence == 0 && AtPipe)
                {
                    return ParsePipe(left, start);
                }

                break;
            }

            if (precedence > 0)
            {
                break;
            }

            if (afterPipe && call is null && left is PathExpression)
            {
                left = new CallExpression(left.Span, left, []);
            }

            if (AtPipe)
            {
                return ParsePipe(Finish(ref call, left, start), start);
            }

            break;
        }

        return Finish(ref call, left, start);
    }

    /// <summary>A function and the arguments read so far; the one being read is not in it yet.</summary>
    private sealed class PendingCall(Expression target)
    {
        public List<Expression> Arguments { get; } = [];

        public void AddUnlessTarget(Expression expression)
        {
            if (!ReferenceEquals(expression, target))
            {
                Arguments.Add(expression);
            }
        }

        public CallExpression ToExpression(SourceSpan span) => new(span, target, Arguments);
    }

    private Expression Finish(ref PendingCall? call, Expression left, int start)
    {
        if (call is null)
        {
            return left;
        }

        call.AddUnlessTarget(left);
        var expression = call.ToExpression(SpanFrom(start));
        call = null;
        return expression;
    }

    private bool TryParsePostfix(ref Expression left)
    {
        var start = StartOf(left);
        if (Current.Is(".") || Current.Is("?."))
        {
            // After a ?. the rest of the path is optional too.
            var isOptional = Next().Is("?.") || left is MemberExpression { IsOptional: true };
            if (Current.Kind != TokenKind.Identifier)
            {
                throw Error($"The name of a member is expected after the dot, not {Describe(Current)}");
            }

            var name = (string)Next().Value!;
            left = name is "empty" or "blank" && Current.Is("?")
                ? new IsEmptyExpression(_source.Span(start, Next().End), left)
                : new MemberExpression(SpanFrom(start), left, name, isOptional);
            return true;
        }

        // With white space before it, a bracket starts an array: an argument.
        if (Current.Is("[") && IsAdjacent && left is PathExpression or LiteralExpression or CallExpression)
        {
            Next();
            var index = ParseExpression();
            Expect("]");
            left = new IndexExpression(SpanFrom(start), left, index);
            return true;
        }

        return Current.Is("++") || Current.Is("--") ? throw Error($"The operator {Current.Value} is not supported") : false;
    }

    private AssignExpression ParseAssignment(Expression target, string operation, int start)
    {
        Next();
        var path = ExpectPath(target, "Only a variable, a member or an element can be assigned to");
        var value = ParseExpression();
        return new AssignExpression(SpanFrom(start), path, operation == "=" ? null : operation[..^1], value);
    }

    private string? AssignmentOperator() =>
        Current.Kind == TokenKind.Symbol && Current.Value is "=" or "+=" or "-=" or "*=" or "/=" or "//=" or "%=" or "??=" ? (string)Current.Value : null;

    private ConditionalExpression ParseConditional(Expression condition)
    {
        Next();
        var then = ParseExpression(mode: Mode.NoNamedArgument);
        Expect(":");
        var other = ParseExpression(mode: Mode.NoNamedArgument);
        return new ConditionalExpression(SpanFrom(StartOf(condition)), condition, then, other);
    }

    private PipeExpression ParsePipe(Expression from, int start)
    {
        // A pipe at the end of a line goes on in the next one.
        _skipNewLines++;
        Next();
        _skipNewLines--;
        var to = ParseExpression(afterPipe: true);
        return new PipeExpression(SpanFrom(start), from, to);
    }

    private Expression ParseForOptions(PendingCall? call, Expression left, List<NamedArgument> options)
    {
        if (call is not null)
        {
            throw Error("A call that a `for` goes through needs parentheses around it");
        }

        while (Current.Kind == TokenKind.Identifier)
        {
            options.Add(ParseNamedArgument());
        }

        return left;
    }

    /// <summary>Named arguments come last; false if there are none here.</summary>
    private bool ParseNamedArguments(PendingCall call)
    {
        var any = false;
        while (Current.Kind == TokenKind.Identifier && PeekIs(":"))
        {
            call.Arguments.Add(ParseNamedArgument());
            any = true;
        }

        return any;
    }

    private NamedArgument ParseNamedArgument()
    {
        var name = Next();
        var value = Accept(":") ? ParseExpression(mode: Mode.Basic) : null;
        return new NamedArgument(SpanFrom(name.Start), (string)name.Value!, value);
    }

    private CallExpression ParseExplicitCall(Expression target)
    {
        var arguments = new List<Expression>();
        Next();
        while (!Current.Is(")"))
        {
            if (arguments.Count > 0)
            {
                Expect(",");
            }

            arguments.Add(ParseExpression());
        }

        Next();
        return new CallExpression(SpanFrom(StartOf(target)), target, arguments);
    }

    /// <summary>In Scriban itself <c>a and b</c> would call a function a.</summary>
    private void RefuseLiquidOperators()
    {
        if (Current.IsWord("and") || Current.IsWord("or"))
        {
            throw Error($"`{Current.Value}` is written {(Current.IsWord("and") ? "&&" : "||")}");
        }
    }

    private bool AtPipe => Current.Is("|") || Current.Is("|>");

    private bool IsAdjacent => !char.IsWhiteSpace(_source.Text[Current.Start - 1]);

    private static int StartOf(Expression expression) => expression.Span.Start.Offset;

    private static int BinaryPrecedence(string symbol) => symbol switch
    {
        "??" or "?!" => 20,
        "||" => 30,
        "&&" => 40,
        "==" or "!=" => 70,
        "<" or "<=" or ">" or ">=" => 80,
        "+" or "-" => 100,
        "*" or "/" or "//" or "%" or "<<" or ">>" => 110,
        ".." or "..<" => 130,
        _ => 0,
    };
}
