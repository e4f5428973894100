namespace ChatGenius.Db.Templates.Scriban;

/// <summary>Finds the templates that <c>include</c> names.</summary>
public interface ITemplateLoader
{
    /// <summary>Turns the name in an <c>include</c> into the path that <see cref="Load"/> takes and messages show.</summary>
    /// <returns>The path, or null if there is no such template.</returns>
    string? GetPath(TemplateContext context, SourceSpan callerSpan, string templateName);

    /// <summary>Reads the text of a template.</summary>
    /// <returns>The text, or null if there is no such template.</returns>
    string? Load(TemplateContext context, SourceSpan callerSpan, string templatePath);
}
