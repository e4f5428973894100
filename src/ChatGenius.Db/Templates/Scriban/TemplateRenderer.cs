using System.Text;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Templates.Scriban;

/// <summary>Renders a template file; what goes wrong is a <see cref="Problem"/> at its place in the file.</summary>
public static class TemplateRenderer
{
    /// <summary>Renders a template.</summary>
    /// <param name="source">The template.</param>
    /// <param name="model">The template's variables.</param>
    /// <param name="loader">Finds the templates that this one includes.</param>
    /// <exception cref="ProblemException">
    /// CG0801: the template, or one that it includes, can't be parsed; CG0802: it can't be rendered with this model.
    /// </exception>
    public static string Render(SourceText source, ScriptObject model, ITemplateLoader? loader = null)
    {
        var text = source.Substring(0, source.Utf8.Length);
        var template = Template.Parse(text, source.Path);
        if (template.HasErrors)
        {
            throw new ProblemException([.. template.Messages.Select(m => ParseProblem(m, text))]);
        }

        var context = new TemplateContext { TemplateLoader = loader };
        context.PushGlobal(model);
        try
        {
            return template.Render(context);
        }
        catch (ScriptParserRuntimeException e)
        {
            throw new ProblemException([.. e.ParserMessages.Select(m => ParseProblem(m, TextOf(m.Span)))], e);
        }
        catch (ScriptRuntimeException e)
        {
            throw new ProblemException(
                new Problem("CG0802", e.OriginalMessage, Locate(e.Span, TextOf(e.Span)), "Change the template, or the values it is rendered with."), e);
        }

        string TextOf(SourceSpan span) =>
            span.FileName == source.Path ? text : loader?.Load(context, span, span.FileName) ?? "";
    }

    private static Problem ParseProblem(LogMessage message, string text) =>
        new("CG0801", message.Message, Locate(message.Span, text), "Templates are written in the Scriban language: https://scriban.github.io");

    private static SourceLocation Locate(SourceSpan span, string text)
    {
        var start = Math.Min(span.Start.Offset, text.Length);
        var end = Math.Clamp(span.End.Offset + 1, start, text.Length);
        return SourceText.From(span.FileName, text).At(
            Encoding.UTF8.GetByteCount(text.AsSpan(0, start)),
            Encoding.UTF8.GetByteCount(text.AsSpan(start, end - start)));
    }
}
