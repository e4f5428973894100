namespace ChatGenius.Db.Templates.Scriban;

/// <summary>
/// A template in the Scriban language. This folder is a renderer of what migration templates need of that language, with the names
/// of the Scriban package (https://github.com/scriban/scriban), so that the package can take its place; what it renders, the package
/// renders to the same characters. What it does not support is an error, never another text.
/// </summary>
public sealed class Template
{
    private readonly BlockStatement? _page;

    private Template(string? sourceFilePath, BlockStatement? page, IReadOnlyList<LogMessage> messages)
    {
        SourceFilePath = sourceFilePath;
        _page = page;
        Messages = messages;
    }

    /// <summary>What the template was parsed as.</summary>
    public string? SourceFilePath { get; }

    /// <summary>Whether the template can't be rendered.</summary>
    public bool HasErrors => _page is null;

    /// <summary>What is wrong with the template; empty if nothing is.</summary>
    public IReadOnlyList<LogMessage> Messages { get; }

    /// <summary>Parses a template. What is wrong with it is in <see cref="Messages"/>; nothing is thrown.</summary>
    /// <param name="text">The template.</param>
    /// <param name="sourceFilePath">The path that messages show.</param>
    public static Template Parse(string text, string? sourceFilePath = null)
    {
        try
        {
            return new Template(sourceFilePath, ScribanParser.Parse(new TemplateText(text, sourceFilePath ?? "<input>")), []);
        }
        catch (ScribanSyntaxException e)
        {
            return new Template(sourceFilePath, null, [new LogMessage(ParserMessageType.Error, e.Span, e.Message)]);
        }
    }

    /// <summary>Renders the template with the members of an object as its variables.</summary>
    /// <exception cref="ScriptRuntimeException">The template can't be rendered with this object.</exception>
    /// <exception cref="InvalidOperationException">The template has errors.</exception>
    public string Render(ScriptObject? model = null)
    {
        var context = new TemplateContext();
        context.PushGlobal(model ?? new ScriptObject());
        return Render(context);
    }

    /// <summary>Renders the template with the variables, limits and loader of a context.</summary>
    /// <exception cref="ScriptRuntimeException">The template can't be rendered with this context.</exception>
    /// <exception cref="InvalidOperationException">The template has errors.</exception>
    public string Render(TemplateContext context)
    {
        if (_page is null)
        {
            throw new InvalidOperationException("The template has errors: " + string.Join("; ", Messages));
        }

        return context.Evaluator.Render(_page);
    }
}
