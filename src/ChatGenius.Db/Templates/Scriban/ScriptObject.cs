using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace ChatGenius.Db.Templates.Scriban;

/// <summary>
/// An object of the template language: named values in the order they were added. A value is null, a string, a boolean, a number,
/// a <see cref="DateTime"/>, a <see cref="ScriptObject"/> or a <see cref="ScriptArray"/>; any other sequence becomes a
/// <see cref="ScriptArray"/>. There is no reflection, so an object of another kind is refused.
/// </summary>
public class ScriptObject : IEnumerable<KeyValuePair<string, object?>>
{
    private readonly OrderedDictionary<string, object?> _members = new(StringComparer.Ordinal);
    private readonly HashSet<string> _readOnly = new(StringComparer.Ordinal);

    /// <summary>How many members there are.</summary>
    public int Count => _members.Count;

    /// <summary>The names of the members in the order they were added.</summary>
    public IReadOnlyCollection<string> Keys => _members.Keys;

    /// <summary>A member's value; null if there is no such member.</summary>
    /// <exception cref="ArgumentException">The value is of a kind that a template can't handle, or the member is read-only.</exception>
    public object? this[string member]
    {
        get => _members.GetValueOrDefault(member);
        set
        {
            if (!CanWrite(member))
            {
                throw new ArgumentException($"The member `{member}` is read-only", nameof(member));
            }

            SetValue(member, value, readOnly: false);
        }
    }

    /// <summary>Adds a member or replaces its value.</summary>
    /// <exception cref="ArgumentException">The value is of a kind that a template can't handle, or the member is read-only.</exception>
    public void Add(string member, object? value) => this[member] = value;

    /// <summary>Sets a member whether or not it is read-only, and says whether a template may set it from now on.</summary>
    /// <exception cref="ArgumentException">The value is of a kind that a template can't handle.</exception>
    public void SetValue(string member, object? value, bool readOnly)
    {
        _members[member] = ScriptValue.From(value);
        SetReadOnly(member, readOnly);
    }

    /// <summary>Says whether a template may set the member.</summary>
    public void SetReadOnly(string member, bool readOnly)
    {
        if (readOnly)
        {
            _readOnly.Add(member);
        }
        else
        {
            _readOnly.Remove(member);
        }
    }

    /// <summary>Whether a template may set the member.</summary>
    public bool CanWrite(string member) => !_readOnly.Contains(member);

    /// <summary>Whether there is such a member.</summary>
    public bool ContainsKey(string member) => _members.ContainsKey(member);

    /// <summary>Gets a member's value if there is such a member.</summary>
    public bool TryGetValue(string member, [MaybeNullWhen(false)] out object? value) => _members.TryGetValue(member, out value);

    /// <summary>Takes a member away; false if there was none.</summary>
    public bool Remove(string member) => _members.Remove(member);

    /// <inheritdoc />
    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => _members.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
