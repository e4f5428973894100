namespace ChatGenius.Db.Templates.Scriban;

/// <summary>What a template is rendered with: its variables, the templates it may include, and its limits.</summary>
public class TemplateContext
{
    /// <summary>A context with the built-in functions and no variables.</summary>
    public TemplateContext()
    {
        Variables = new VariableStore(Builtins.Create());
        Evaluator = new Evaluator(this);
    }

    /// <summary>Finds the templates that <c>include</c> names; without one, an <c>include</c> is an error.</summary>
    public ITemplateLoader? TemplateLoader { get; set; }

    /// <summary>How often a loop may go round; 1000 by default, 0 for no limit.</summary>
    public int LoopLimit { get; set; } = 1000;

    /// <summary>How deeply calls and includes may nest; 100 by default, 0 for no limit.</summary>
    public int RecursiveLimit { get; set; } = 100;

    /// <summary>
    /// How many characters one value may have; 1,048,576 by default, 0 for no limit. Where the package cuts the text, this is an
    /// error: half a statement is worse than none.
    /// </summary>
    public int LimitToString { get; set; } = 1024 * 1024;

    /// <summary>
    /// Whether the lines of a value that stands alone on its line get the indent of that line. True by default.
    /// </summary>
    public bool AutoIndent { get; set; } = true;

    /// <summary>Whether a variable that is not there is an error instead of null. False by default.</summary>
    public bool StrictVariables { get; set; }

    /// <summary>Whether a member that is not there is null instead of an error. True by default.</summary>
    public bool EnableRelaxedMemberAccess { get; set; } = true;

    /// <summary>Whether the member of null is null instead of an error. False by default.</summary>
    public bool EnableRelaxedTargetAccess { get; set; }

    internal VariableStore Variables { get; }

    internal Evaluator Evaluator { get; }

    /// <summary>Adds an object whose members are variables. Assignments go to the last one added.</summary>
    public void PushGlobal(ScriptObject scriptObject) => Variables.PushGlobal(scriptObject);

    /// <summary>Takes away the object that was added last.</summary>
    /// <exception cref="InvalidOperationException">Only the built-in functions are left.</exception>
    public ScriptObject PopGlobal() => Variables.PopGlobal();
}
