using System.Runtime.CompilerServices;
using System.Text;

namespace ChatGenius.Db.Templates.Scriban;

/// <summary>Renders the tree of a template. This half runs statements and writes, the other half evaluates expressions.</summary>
internal sealed partial class Evaluator(TemplateContext context)
{
    /// <summary>In UTF-16 units; no migration is that long.</summary>
    private const int MaxOutput = 16 * 1024 * 1024;

    /// <summary>Statements, turns of loops, calls, and what they go through; loops in loops would otherwise run for hours.</summary>
    private const int MaxSteps = 1_000_000;

    private StringBuilder _output = new();
    private Flow _flow;
    private object? _returned;
    private long _steps;
    private int _depth;

    /// <summary>What each new line of the output starts with; null outside of code that is indented.</summary>
    private string? _indent;
    private bool _atLineStart;

    private enum Flow
    {
        Next,
        Break,
        Continue,
        Return,
    }

    public TemplateContext Context => context;

    /// <summary>How far each group of <c>array.cycle</c> has come.</summary>
    public Dictionary<string, int> Cycles { get; } = new(StringComparer.Ordinal);

    /// <exception cref="ScriptRuntimeException">The template can't be rendered.</exception>
    public string Render(BlockStatement page)
    {
        var output = _output;
        var indent = _indent;
        _output = new StringBuilder();
        _indent = null;
        if (_depth == 0)
        {
            _steps = 0;
            _piped.Clear();
        }

        try
        {
            Run(page);
            if (_returned is { } value)
            {
                Write(ToText(value, page.Span), page.Span);
            }

            return _output.ToString();
        }
        finally
        {
            _output = output;
            _indent = indent;
            _flow = Flow.Next;
            _returned = null;
        }
    }

    /// <param name="span">What takes the time.</param>
    /// <param name="size">How many characters or elements it goes through: a thousand of them cost a step more.</param>
    public void Step(SourceSpan span, long size = 0)
    {
        _steps += 1 + (size / 1000);
        if (_steps > MaxSteps)
        {
            throw new ScriptRuntimeException(span, $"The template takes more than {MaxSteps} steps");
        }
    }

    /// <summary>A few thousand brackets must be a message, not a stack overflow, which no handler survives.</summary>
    public static void EnsureDepth(SourceSpan span)
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw new ScriptRuntimeException(span, "This is nested too deeply");
        }
    }

    private void Run(BlockStatement block)
    {
        EnsureDepth(block.Span);
        var outer = _indent;
        var inner = outer;
        foreach (var statement in block.Statements)
        {
            if (statement is BlockMark mark)
            {
                inner = IndentAt(mark, outer);
                continue;
            }

            _indent = inner;
            Step(statement.Span);
            Run(statement);
            if (_flow != Flow.Next)
            {
                break;
            }
        }

        _indent = outer;
    }

    private string? IndentAt(BlockMark mark, string? outer) => !context.AutoIndent ? null : mark.IsEntering ? mark.Indent : outer;

    private void Run(Statement statement)
    {
        switch (statement)
        {
            case RawStatement raw:
                Write(raw.Text, raw.Span);
                break;
            case ExpressionStatement { Expression: AssignExpression assignment }:
                Assign(assignment);
                break;
            case ExpressionStatement { Expression: var expression }:
                Write(ToText(Evaluate(expression), expression.Span), expression.Span);
                break;
            case BlockStatement block:
                Run(block);
                break;
            case IfStatement choice:
                RunIf(choice);
                break;
            case CaseStatement choice:
                RunCase(choice);
                break;
            case ForStatement loop:
                RunFor(loop);
                break;
            case CaptureStatement capture:
                RunCapture(capture);
                break;
            case ReadOnlyStatement { Variable: var variable }:
                context.Variables.Owner(variable).SetReadOnly(variable.Name, readOnly: true);
                break;
            case ReturnStatement leave:
                _returned = leave.Value is null ? null : Evaluate(leave.Value);
                _flow = Flow.Return;
                break;
            case BreakStatement or ContinueStatement:
                _flow = !context.Variables.IsInLoop
                    ? throw new ScriptRuntimeException(statement.Span, "There is no loop around this")
                    : statement is BreakStatement ? Flow.Break : Flow.Continue;
                break;
            default:
                throw new InvalidOperationException($"Unknown statement {statement.GetType().Name}");
        }
    }

    private void RunIf(IfStatement choice)
    {
        if (ScriptValue.ToBool(Evaluate(choice.Condition)))
        {
            Run(choice.Then);
        }
        else if (choice.Else is not null)
        {
            Run(choice.Else);
        }
    }

    private void RunCase(CaseStatement choice)
    {
        var value = Evaluate(choice.Value);

        // The branches stand at the end of the body, behind its marks, which decide on the indent.
        var outer = _indent;
        foreach (var mark in choice.Body.Statements.OfType<BlockMark>())
        {
            _indent = IndentAt(mark, outer);
        }

        var branch = choice.Body.Statements is [.., WhenStatement first] ? (Statement)first : null;
        while (branch is WhenStatement when)
        {
            branch = when.Values.Any(v => Operators.Binary(this, when.Span, "==", value, Evaluate(v)) is true) ? when.Body : when.Next;
        }

        if (branch is BlockStatement body)
        {
            Run(body);
        }

        _indent = outer;
    }

    private void RunCapture(CaptureStatement capture)
    {
        var output = _output;
        _output = new StringBuilder();
        try
        {
            Run(capture.Body);
            _returned = null;
            Set(capture.Target, _output.ToString());
        }
        finally
        {
            _output = output;
        }
    }

    /// <summary>
    /// Writes with the current indent. That the mark of a new line survives into text without an indent is so in Scriban, too: there a
    /// value that ends with a line feed makes the next indented value start with its indent twice.
    /// </summary>
    private void Write(string? text, SourceSpan span)
    {
        if (text is null)
        {
            return;
        }

        if (_indent is null)
        {
            _output.Append(text);
        }
        else
        {
            for (var rest = text.AsSpan(); !rest.IsEmpty;)
            {
                if (_atLineStart)
                {
                    _output.Append(_indent);
                }

                var end = rest.IndexOf('\n') + 1;
                _atLineStart = end > 0;
                _output.Append(_atLineStart ? rest[..end] : rest);
                rest = _atLineStart ? rest[end..] : [];
            }
        }

        if (_output.Length > MaxOutput)
        {
            throw new ScriptRuntimeException(span, $"The output is longer than {MaxOutput} characters");
        }
    }
}
