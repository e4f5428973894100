namespace ChatGenius.Db.Imports;

/// <summary>
/// What a name or a value of a file is known to be, beside texts, numbers, true, false, null, lists (<see cref="IReadOnlyList{T}"/>) and
/// objects (<see cref="IReadOnlyDictionary{TKey, TValue}"/>).
/// </summary>
internal abstract record TypeScriptValue
{
    /// <summary>What nobody has given a value.</summary>
    internal static readonly TypeScriptValue Undefined = new Nothing("undefined");

    /// <summary>The error of a call that went well: a callback gets it first.</summary>
    internal static readonly TypeScriptValue NoError = new Nothing("null");

    /// <summary>Where something comes from.</summary>
    internal enum Origin
    {
        /// <summary>The connection, or what is reached from it.</summary>
        Database,

        /// <summary>A package.</summary>
        Library,

        /// <summary>The second argument of up or down: a callback, or the library.</summary>
        Second,

        /// <summary>What every file has, such as <c>Promise</c>.</summary>
        Global,
    }

    /// <summary>Nothing.</summary>
    internal sealed record Nothing(string Text) : TypeScriptValue;

    /// <summary>What is not known, and why.</summary>
    internal sealed record Unknown(int Start, int End, string Reason) : TypeScriptValue;

    /// <summary>What the database answered. It may be kept, but nothing may depend on it.</summary>
    internal sealed record Result(int Start, int End) : TypeScriptValue;

    /// <summary>Something that others made.</summary>
    /// <param name="From">Where it comes from.</param>
    /// <param name="Module">The package or file; empty for an argument.</param>
    /// <param name="Path">How it is reached from there.</param>
    /// <param name="IsWhole">Whether it is the connection itself.</param>
    internal sealed record Handle(Origin From, string Module, string Path, bool IsWhole = false) : TypeScriptValue
    {
        /// <summary>The last name of the path.</summary>
        public string Last => Path[(Path.LastIndexOf('.') + 1)..];

        /// <summary>Whether it is a library whose tag only makes an object.</summary>
        public bool HasInertTag => From == Origin.Library
            && (IsOf("drizzle-orm") || IsOf("@payloadcms/") || IsOf("kysely") || IsOf("slonik") || IsOf("@slonik/"));

        /// <summary>Whether the module's name begins so.</summary>
        public bool IsOf(string module) => Module.StartsWith(module, StringComparison.Ordinal);

        /// <summary>What is called so of it.</summary>
        public Handle Get(string name) =>
            this with { Path = Path.Length == 0 ? name : $"{Path}.{name}", IsWhole = IsWhole && name is "context" or "default" };
    }

    /// <summary>A function of the file.</summary>
    internal sealed record Closure(TypeScriptNode.Function Function, TypeScriptScope Scope, Instance? This) : TypeScriptValue;

    /// <summary>An object of a class of the file; the class itself too.</summary>
    internal sealed record Instance(TypeScriptNode.Class Class, TypeScriptScope Scope) : TypeScriptValue;

    /// <summary>SQL that was written, and not yet run: its pieces are <see cref="Verbatim"/> and values.</summary>
    /// <param name="Pieces">In their order.</param>
    /// <param name="Runs">Whether waiting for it runs it.</param>
    /// <param name="Maker">Whose tag made it.</param>
    /// <param name="At">Where.</param>
    internal sealed record Fragment(IReadOnlyList<object?> Pieces, bool Runs, Handle? Maker, TypeScriptNode At) : TypeScriptValue;

    /// <summary>A piece of SQL to the letter.</summary>
    internal sealed record Verbatim(string Text) : TypeScriptValue;

    /// <summary>A call that runs SQL, before it is waited for.</summary>
    /// <param name="Text">The SQL, with $1 for its first value.</param>
    /// <param name="Values">The values.</param>
    /// <param name="At">The call.</param>
    internal sealed record Query(string Text, IReadOnlyList<object?> Values, TypeScriptNode At) : TypeScriptValue
    {
        /// <summary>Whether its library sends it as it is called, and not only when something waits for it.</summary>
        internal bool IsSentAtOnce { get; init; }
    }

    /// <summary>A promise of which all that it runs is known.</summary>
    internal sealed record Promised(object? Value) : TypeScriptValue;
}

/// <summary>The names of a block.</summary>
internal sealed class TypeScriptScope(TypeScriptScope? outer, bool isFunction)
{
    private readonly Dictionary<string, object?> _names = new(StringComparer.Ordinal);

    /// <summary>Whether it is a whole function or file: what <c>var</c> declares belongs there.</summary>
    public bool IsFunction { get; } = isFunction;

    /// <summary>Gives a name its value.</summary>
    public void Set(string name, object? value) => _names[name] = value;

    /// <summary>Looks a name up, from the inside out.</summary>
    public bool TryGet(string name, out object? value)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
        {
            if (scope._names.TryGetValue(name, out value))
            {
                return true;
            }
        }

        value = null;
        return false;
    }

    private TypeScriptScope? Outer { get; } = outer;
}
