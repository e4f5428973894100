using System.Collections;
using System.Collections.ObjectModel;

namespace ChatGenius.Db.Templates.Scriban;

/// <summary>An array of the template language; takes the same kinds of values as <see cref="ScriptObject"/>.</summary>
public class ScriptArray : Collection<object?>
{
    /// <summary>What keeps a few characters of a template from filling the memory.</summary>
    internal const int MaxCount = 100_000;

    /// <summary>An empty array.</summary>
    public ScriptArray()
    {
    }

    /// <summary>An array of the values.</summary>
    /// <exception cref="ArgumentException">A value is of a kind that a template can't handle.</exception>
    /// <exception cref="InvalidOperationException">There are more than 100,000 values.</exception>
    public ScriptArray(IEnumerable values)
    {
        foreach (var value in values)
        {
            Add(value);
        }
    }

    /// <summary>The named values that an array may carry besides its elements.</summary>
    internal ScriptObject? Members { get; set; }

    /// <inheritdoc />
    protected override void InsertItem(int index, object? item)
    {
        if (Count >= MaxCount)
        {
            throw new InvalidOperationException($"An array may have {MaxCount} elements at most");
        }

        base.InsertItem(index, ScriptValue.From(item));
    }

    /// <inheritdoc />
    protected override void SetItem(int index, object? item) => base.SetItem(index, ScriptValue.From(item));
}

/// <summary>What ranges and most array functions give: an array in all but its name (<c>object.typeof</c> says <c>iterator</c>).</summary>
internal sealed class ScriptRange(IEnumerable values) : ScriptArray(values);
