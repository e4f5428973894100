using ChatGenius.Db.Text;
using Scriban.Runtime;

namespace ChatGenius.Db.Templates;

/// <summary>The templates of <c>new</c>: the project's own in a folder, then those that come with the tool.</summary>
internal sealed class TemplateCatalog
{
    private const string Ending = ".sbn";
    private const string Resources = "templates/";
    private readonly string? _folder;

    /// <param name="folder">The project's own templates; need not be there. Null: built-in ones only.</param>
    public TemplateCatalog(string? folder = null) => _folder = folder;

    /// <summary>Whether the project has templates of its own.</summary>
    public bool HasOwn => OwnNames().Count > 0;

    /// <summary>All templates by name; of two with one name, the project's own.</summary>
    /// <exception cref="ProblemException">CG0811 and CG01xx: a template of the project's own can't be read.</exception>
    public IReadOnlyList<TemplateInfo> List()
    {
        var own = OwnNames();
        var names = own.Concat(BuiltInNames()).Distinct().Order(StringComparer.Ordinal);
        return [.. names.Select(name => own.Contains(name) ? ReadOwn(name) : ReadBuiltIn(name))];
    }

    /// <summary>A template by name.</summary>
    /// <exception cref="ProblemException">CG0810: there is none; CG0811 and CG01xx: it can't be read.</exception>
    public TemplateInfo Find(string name)
    {
        if (OwnNames().Contains(name))
        {
            return ReadOwn(name);
        }

        return BuiltInNames().Contains(name) ? ReadBuiltIn(name) : throw Unknown(name, [.. OwnNames(), .. BuiltInNames()]);
    }

    /// <summary>The text of a template.</summary>
    /// <exception cref="ProblemException">CG0810: there is none; CG0811 and CG01xx: it can't be read.</exception>
    public string Show(string name)
    {
        var source = Find(name).Source;
        return source.All();
    }

    /// <summary>Reads and parses every template of the project's own.</summary>
    /// <returns>How many there are.</returns>
    /// <exception cref="ProblemException">All that is wrong with any of them: CG0811 and CG01xx.</exception>
    public int Verify()
    {
        var problems = new List<Problem>();
        var own = OwnNames();
        foreach (var name in own.Order(StringComparer.Ordinal))
        {
            try
            {
                var info = ReadOwn(name);
                TextTemplate.Check(info.Source, Advice(info));
            }
            catch (ProblemException e)
            {
                problems.AddRange(e.Problems);
            }
        }

        return problems.Count == 0 ? own.Count : throw new ProblemException(problems);
    }

    /// <summary>Writes a built-in template into a folder, where it comes before the built-in one.</summary>
    /// <returns>The path of the new file.</returns>
    /// <exception cref="ProblemException">
    /// CG0810: there is no such built-in template; CG0812: the file is there already or can't be written.
    /// </exception>
    public static string Eject(string name, string folder)
    {
        if (!BuiltInNames().Contains(name))
        {
            throw Unknown(name, BuiltInNames());
        }

        var path = Path.Combine(folder, name + Ending);
        try
        {
            Directory.CreateDirectory(folder);
            WholeFile.Write(path, ReadBuiltIn(name).Source.Utf8.Span, overwrite: false);
            return path;
        }
        catch (IOException e) when (File.Exists(path))
        {
            throw new ProblemException(
                "CG0812", $"The template {path} is there already", advice: "Change that file, or delete it first.", cause: e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(
                "CG0812", $"The template {path} can't be written: {e.Message}",
                advice: "Check its path, its permissions and the space on its disk.", cause: e);
        }
    }

    /// <summary>Makes the migrations that a name and its columns ask for.</summary>
    /// <exception cref="ProblemException">
    /// CG0801 to CG0807: the name or a column can't be read; CG0808: the template needs columns; CG0809: a value is missing, unknown or
    /// malformed; CG0810: there is no such template; CG0811: the template is broken.
    /// </exception>
    public Scaffold Render(ScaffoldRequest request) => new Scaffolder(this, request).Run();

    /// <summary>Renders one template.</summary>
    /// <exception cref="ProblemException">CG0811: it is broken; the place is in the template, or in one that it includes.</exception>
    internal string Render(TemplateInfo info, ScriptObject model) => TextTemplate.Render(info.Source, model, Advice(info), Include);

    private SourceText? Include(string name) =>
        OwnNames().Contains(name) || BuiltInNames().Contains(name) ? Find(name).Source : null;

    private static string Advice(TemplateInfo info) =>
        info.IsBuiltIn ? TextTemplate.ReportIt
        : BuiltInNames().Contains(info.Name) ? "Correct the template, or delete it to get the built-in one back."
        : "Mend the template.";

    private static ProblemException Unknown(string name, IReadOnlyCollection<string> names)
    {
        var nearest = names.MinBy(known => Nearest.Distance(name, known))!;
        var hint = Nearest.Distance(name, nearest) <= Math.Max(2, name.Length / 3) ? $"Did you mean {nearest}? " : "";
        return new ProblemException("CG0810", $"There is no template \"{name}\"", advice: $"{hint}See new --list.");
    }

    private HashSet<string> OwnNames()
    {
        if (_folder is null || !Directory.Exists(_folder))
        {
            return [];
        }

        try
        {
            return [.. Directory.EnumerateFiles(_folder, "*" + Ending).Select(path => Path.GetFileNameWithoutExtension(path))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(
                "CG0103", $"The folder {_folder} can't be read: {e.Message}", advice: "Check its permissions.", cause: e);
        }
    }

    private TemplateInfo ReadOwn(string name)
    {
        var path = Path.Combine(_folder!, name + Ending);
        try
        {
            return TemplateInfo.Read(name, SourceText.From(path, OrdinaryFile.ReadBytes(path)), isBuiltIn: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw OrdinaryFile.Unreadable(path, e);
        }
    }

    private static HashSet<string> BuiltInNames() =>
        [.. typeof(TemplateCatalog).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Resources, StringComparison.Ordinal) && name.EndsWith(Ending, StringComparison.Ordinal))
            .Select(name => name[Resources.Length..^Ending.Length])];

    private static TemplateInfo ReadBuiltIn(string name)
    {
        using var stream = typeof(TemplateCatalog).Assembly.GetManifestResourceStream(Resources + name + Ending)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return TemplateInfo.Read(name, SourceText.From(Resources + name + Ending, bytes), isBuiltIn: true);
    }
}
