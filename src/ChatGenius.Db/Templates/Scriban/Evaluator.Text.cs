using System.Globalization;
using System.Numerics;
using System.Text;

namespace ChatGenius.Db.Templates.Scriban;

internal sealed partial class Evaluator
{
    /// <summary>How a value is written: null for null, which writes nothing and equals no string.</summary>
    public string? ToText(object? value, SourceSpan span)
    {
        switch (value)
        {
            case string text:
                return CheckLength(text, span);
            case null:
            case ScriptObject when ReferenceEquals(value, ScriptValue.Empty):
                return null;
            default:
                var builder = new StringBuilder();
                AppendValue(builder, value, span);
                return builder.ToString();
        }
    }

    /// <summary>Adds to a text that a template builds up.</summary>
    public void Append(StringBuilder builder, string? text, SourceSpan span)
    {
        builder.Append(text);
        if (context.LimitToString > 0 && builder.Length > context.LimitToString)
        {
            throw TooLong(span);
        }
    }

    public string CheckLength(string text, SourceSpan span)
    {
        CheckLength(text.Length, span);
        return text;
    }

    /// <summary>To be called before a text of that length is made.</summary>
    public void CheckLength(long length, SourceSpan span)
    {
        if (context.LimitToString > 0 && length > context.LimitToString)
        {
            throw TooLong(span);
        }

        Step(span, length);
    }

    private ScriptRuntimeException TooLong(SourceSpan span) => new(span, $"A text is longer than {context.LimitToString} characters");

    /// <summary>Inside of arrays and objects, strings have quotes and null has a name.</summary>
    private void AppendValue(StringBuilder builder, object? value, SourceSpan span)
    {
        EnsureDepth(span);
        Step(span);
        switch (value)
        {
            case string text:
                Append(builder, $"\"{Builtins.Escape(text)}\"", span);
                break;
            case bool b:
                Append(builder, b ? "true" : "false", span);
                break;
            case DateTime date:
                Append(builder, Builtins.FormatDate(this, date), span);
                break;
            case int or long or BigInteger or float or double or decimal:
                Append(builder, ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture), span);
                break;
            case ScriptFunction:
                Append(builder, "<function>", span);
                break;
            case ScriptArray array:
                var isNext = false;
                Append(builder, "[", span);
                foreach (var item in array)
                {
                    Append(builder, isNext ? ", " : "", span);
                    AppendValue(builder, item, span);
                    isNext = true;
                }

                Append(builder, "]", span);
                break;
            case ScriptObject members when !ReferenceEquals(members, ScriptValue.Empty):
                var separator = "{";
                foreach (var (name, member) in members)
                {
                    Append(builder, separator + name + ": ", span);
                    AppendValue(builder, member, span);
                    separator = ", ";
                }

                Append(builder, members.Count == 0 ? "{}" : "}", span);
                break;
            default:
                Append(builder, "null", span);
                break;
        }
    }
}
