namespace ChatGenius.Db.Templates.Scriban;

internal abstract record Expression(SourceSpan Span)
{
    /// <summary>How messages name the expression.</summary>
    protected virtual string Text => "(…)";

    public sealed override string ToString() => Text;
}

internal sealed record LiteralExpression(SourceSpan Span, object? Value) : Expression(Span);

internal sealed record InterpolatedString(SourceSpan Span, IReadOnlyList<Expression> Parts) : Expression(Span);

internal sealed record ArrayInitializer(SourceSpan Span, IReadOnlyList<Expression> Items) : Expression(Span);

internal sealed record ObjectInitializer(SourceSpan Span, IReadOnlyList<(string Name, Expression Value)> Members) : Expression(Span);

internal sealed record UnaryExpression(SourceSpan Span, string Operator, Expression Operand) : Expression(Span);

internal sealed record BinaryExpression(SourceSpan Span, SourceSpan OperatorSpan, string Operator, Expression Left, Expression Right)
    : Expression(Span);

internal sealed record ConditionalExpression(SourceSpan Span, Expression Condition, Expression Then, Expression Else) : Expression(Span);

internal sealed record CallExpression(SourceSpan Span, Expression Target, IReadOnlyList<Expression> Arguments) : Expression(Span);

/// <param name="Span">Name and value.</param>
/// <param name="Name">The parameter's name.</param>
/// <param name="Value">Null for a name alone, such as <c>reversed</c>.</param>
internal sealed record NamedArgument(SourceSpan Span, string Name, Expression? Value) : Expression(Span);

internal sealed record PipeExpression(SourceSpan Span, Expression From, Expression To) : Expression(Span);

/// <param name="Span">The whole assignment.</param>
/// <param name="Target">What is set.</param>
/// <param name="Operator">The operator of a compound assignment, <c>+</c> in <c>+=</c>; null for a plain one.</param>
/// <param name="Value">What it is set to.</param>
internal sealed record AssignExpression(SourceSpan Span, PathExpression Target, string? Operator, Expression Value) : Expression(Span);

internal sealed record IsEmptyExpression(SourceSpan Span, Expression Target) : Expression(Span);

/// <summary>What names a value: when the value is a function, it is called.</summary>
internal abstract record PathExpression(SourceSpan Span) : Expression(Span);

internal sealed record ThisExpression(SourceSpan Span) : PathExpression(Span)
{
    protected override string Text => "this";
}

internal sealed record VariableExpression(SourceSpan Span, string Name, bool IsLocal) : PathExpression(Span)
{
    protected override string Text => IsLocal ? "$" + Name : Name;
}

/// <param name="Span">Target and member.</param>
/// <param name="Target">Whose member it is.</param>
/// <param name="Name">The member's name.</param>
/// <param name="IsOptional">Whether the value is null (instead of an error) when the target is.</param>
internal sealed record MemberExpression(SourceSpan Span, Expression Target, string Name, bool IsOptional) : PathExpression(Span)
{
    protected override string Text => $"{Target}{(IsOptional ? "?." : ".")}{Name}";
}

internal sealed record IndexExpression(SourceSpan Span, Expression Target, Expression Index) : PathExpression(Span)
{
    protected override string Text => $"{Target}[…]";
}

internal sealed record ParenthesizedExpression(SourceSpan Span, Expression Inner) : PathExpression(Span);

internal abstract record Statement(SourceSpan Span);

internal sealed record BlockStatement(SourceSpan Span, IReadOnlyList<Statement> Statements) : Statement(Span);

internal sealed record RawStatement(SourceSpan Span, string Text) : Statement(Span);

/// <summary>Where a code block starts or ends; the evaluator needs it to know the indent of what is written.</summary>
/// <param name="Span">The braces.</param>
/// <param name="IsEntering">Whether it starts.</param>
/// <param name="Indent">The white space before a block that is the first thing on its line.</param>
internal sealed record BlockMark(SourceSpan Span, bool IsEntering, string? Indent) : Statement(Span);

internal sealed record ExpressionStatement(SourceSpan Span, Expression Expression) : Statement(Span);

internal sealed record IfStatement(SourceSpan Span, Expression Condition, BlockStatement Then, Statement? Else) : Statement(Span);

internal sealed record CaseStatement(SourceSpan Span, Expression Value, BlockStatement Body) : Statement(Span);

internal sealed record WhenStatement(SourceSpan Span, IReadOnlyList<Expression> Values, BlockStatement Body, Statement? Next)
    : Statement(Span);

internal sealed record ForStatement(
    SourceSpan Span,
    PathExpression Variable,
    Expression Sequence,
    IReadOnlyList<NamedArgument> Options,
    BlockStatement Body,
    BlockStatement? Else) : Statement(Span);

internal sealed record CaptureStatement(SourceSpan Span, PathExpression Target, BlockStatement Body) : Statement(Span);

internal sealed record ReadOnlyStatement(SourceSpan Span, VariableExpression Variable) : Statement(Span);

internal sealed record ReturnStatement(SourceSpan Span, Expression? Value) : Statement(Span);

internal sealed record BreakStatement(SourceSpan Span) : Statement(Span);

internal sealed record ContinueStatement(SourceSpan Span) : Statement(Span);
