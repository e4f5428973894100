namespace ChatGenius.Db;

/// <summary>A place in a file, with the line it is on, so that it can be shown without reading the file again.</summary>
/// <param name="Path">The file as the user named it, or a label such as <c>bundle/0001_initial_schema.sql</c>.</param>
/// <param name="Line">1 for the first line.</param>
/// <param name="Column">1 for the first character; counts characters (code points), as PostgreSQL does.</param>
/// <param name="LineText">The whole line without its line ending.</param>
/// <param name="Width">How many characters the complaint covers on this line; at least 1.</param>
public sealed record SourceLocation(string Path, int Line, int Column, string LineText, int Width = 1)
{
    /// <summary><c>path:line:column</c>, the form that editors and terminals turn into a link.</summary>
    public override string ToString() => $"{Path}:{Line}:{Column}";
}
