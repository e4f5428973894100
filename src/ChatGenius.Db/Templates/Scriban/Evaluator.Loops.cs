namespace ChatGenius.Db.Templates.Scriban;

internal sealed partial class Evaluator
{
    private void RunFor(ForStatement loop)
    {
        var sequence = Evaluate(loop.Sequence);
        if (sequence is null)
        {
            return;
        }

        var items = Guard(loop.Sequence.Span, () => ScriptValue.ToArray(sequence))
            ?? throw new ScriptRuntimeException(
                loop.Sequence.Span, $"A loop goes through an array or an object, not through a value of the kind {ScriptValue.Kind(sequence)}");
        var (first, last, reversed) = FindRange(loop, items.Count);
        if (first > last)
        {
            if (loop.Else is not null)
            {
                Run(loop.Else);
            }

            return;
        }

        context.Variables.PushLoop();
        try
        {
            RunTurns(loop, items, first, last, reversed);
        }
        finally
        {
            context.Variables.PopLoop();
        }
    }

    private (int First, int Last, bool Reversed) FindRange(ForStatement loop, int count)
    {
        long offset = 0;
        long limit = count;
        var reversed = false;
        foreach (var option in loop.Options)
        {
            var value = option.Value is null ? 0 : Guard(option.Span, () => ScriptValue.ToInt(Evaluate(option.Value)));
            switch (option.Name)
            {
                case "offset":
                    offset = value >= 0 ? value : throw new ScriptRuntimeException(option.Span, "An offset can't be negative");
                    break;
                case "limit":
                    limit = value;
                    break;
                default:
                    reversed = true;
                    break;
            }
        }

        return ((int)offset, (int)(Math.Min(offset + limit, count) - 1), reversed);
    }

    private void RunTurns(ForStatement loop, ScriptArray items, int first, int last, bool reversed)
    {
        var state = new ScriptObject { ["length"] = items.Count };
        context.Variables.SetLoopVariable(new VariableExpression(loop.Span, "for", IsLocal: false), state);
        object? previous = null;
        for (var turn = 0; turn <= last - first; turn++)
        {
            if (context.LoopLimit > 0 && turn >= context.LoopLimit)
            {
                throw new ScriptRuntimeException(loop.Span, $"The loop goes round more than {context.LoopLimit} times");
            }

            Step(loop.Span);
            var index = reversed ? last - turn : first + turn;
            var value = items[index];

            // With an offset, or backwards, these count from the start of the array, as in Scriban.
            state["index"] = index;
            state["rindex"] = items.Count - index - 1;
            state["first"] = index == 0;
            state["last"] = turn == last - first;
            state["even"] = index % 2 == 0;
            state["odd"] = index % 2 == 1;
            state["changed"] = turn == 0 || !Equals(previous, value);
            previous = value;
            if (loop.Variable is VariableExpression variable)
            {
                context.Variables.SetLoopVariable(variable, value);
            }
            else
            {
                Set(loop.Variable, value);
            }

            Run(loop.Body);
            if (_flow is Flow.Break or Flow.Return)
            {
                _flow = _flow == Flow.Break ? Flow.Next : _flow;
                return;
            }

            _flow = Flow.Next;
        }
    }
}
