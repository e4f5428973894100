using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using System.Text;
using Scriban;
using Scriban.Functions;
using Scriban.Parsing;
using Scriban.Runtime;
using Scriban.Syntax;

namespace ChatGenius.Db.Text;

/// <summary>A text in the Scriban language: the templates of <c>new</c>, and the HTML pages.</summary>
/// <remarks>
/// A model is built of <see cref="ScriptObject"/>, <see cref="ScriptArray"/>, texts, numbers and booleans: what Scriban would have to look
/// into by reflection isn't there any more in a native build. The language escapes nothing by itself.
/// </remarks>
internal static class TextTemplate
{
    /// <summary>The characters that a rendered text, or any value on the way to it, may have.</summary>
    public const int Longest = 16 * 1024 * 1024;

    /// <summary>What to do about a template of the tool's own that is broken.</summary>
    public const string ReportIt = "This is a fault of the tool; please report it.";

    /// <summary>Sees whether a text is of the language.</summary>
    /// <exception cref="ProblemException">CG0811: it isn't; the first place where that shows.</exception>
    public static void Check(SourceText source, string advice) => Parse(source, advice);

    /// <summary>Renders a template.</summary>
    /// <param name="source">The template.</param>
    /// <param name="model">What it sees; a name that isn't there is a problem.</param>
    /// <param name="advice">What to do where it is broken.</param>
    /// <param name="include">A template by the name that <c>include</c> gives; null where there is none.</param>
    /// <exception cref="ProblemException">
    /// CG0811: it is broken, or takes too long, or its text gets too long; the place is in the template, or in one that it includes.
    /// </exception>
    public static string Render(SourceText source, ScriptObject model, string advice, Func<string, SourceText?> include) =>
        Render(source, model, advice, include, TimeSpan.FromSeconds(10));

    /// <summary>
    /// Renders a page of the tool's own, <c>pages/NAME.sbn</c> in an assembly. It has no limits: it is as long as what it shows.
    /// </summary>
    public static string RenderPage(Assembly assembly, string name, ScriptObject model)
    {
        var path = $"pages/{name}.sbn";
        using var stream = assembly.GetManifestResourceStream(path)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return Render(SourceText.From(path, bytes), model, ReportIt, include: null, timeLimit: null);
    }

    internal static string Render(
        SourceText source, ScriptObject model, string advice, Func<string, SourceText?>? include, TimeSpan? timeLimit)
    {
        var template = Parse(source, advice);
        var loader = new Loader(include, advice) { Loaded = { [source.Path] = source } };
        using var clock = new CancellationTokenSource(timeLimit ?? Timeout.InfiniteTimeSpan);
        var context = new Context(isLimited: timeLimit is not null) { TemplateLoader = loader, CancellationToken = clock.Token };
        context.PushGlobal(model);
        try
        {
            var text = template.Render(context);
            return context.IsCut ? throw Broken(source, new SourceSpan(), Context.TooLong, advice) : text;
        }
        catch (ScriptRuntimeException) when (loader.Problem is { } problem)
        {
            throw problem;
        }
        catch (ScriptRuntimeException e)
        {
            // The code that object.eval runs has no place in a file; the file is all that is known then.
            var place = e.Span.FileName is { } file && loader.Loaded.TryGetValue(file, out var found) ? found : null;
            var message = e is ScriptAbortException
                ? string.Create(CultureInfo.InvariantCulture, $"It takes longer than {timeLimit!.Value.TotalSeconds} seconds")
                : e.OriginalMessage;
            throw Broken(place ?? source, place is null ? new SourceSpan() : e.Span, message, advice);
        }
    }

    private static Template Parse(SourceText source, string advice)
    {
        var text = TextOf(source);
        if (Unclosed(text, source.Path) is var (span, message))
        {
            throw Broken(source, span, message, advice);
        }

        // Those after the first are often only its consequences.
        var template = Template.Parse(text, source.Path);
        return template.Messages.MinBy(one => one.Span.Start.Offset) is { } first
            ? throw Broken(source, first.Span, first.Message, advice)
            : template;
    }

    /// <summary>
    /// A block that doesn't end. The parser goes on into the text after it and complains at whatever it can't read there, far from the
    /// fault; but in code no brace can follow a brace that opens.
    /// </summary>
    private static (SourceSpan Span, string Message)? Unclosed(string text, string path)
    {
        Token? block = null;
        var brace = -1;
        var lexer = new Lexer(text, path);
        foreach (var token in lexer)
        {
            switch (token.Type)
            {
                case TokenType.CodeEnter or TokenType.EscapeEnter:
                    block = token;
                    break;
                case TokenType.CodeExit or TokenType.EscapeExit:
                    block = null;
                    break;
                case TokenType.OpenBrace when block is { } open && brace == token.Start.Offset - 1:
                    return (new SourceSpan(path, open.Start, open.End), $"The code block {Opening(open)} is not closed");
                case TokenType.OpenBrace:
                    brace = token.Start.Offset;
                    break;
            }
        }

        return block is { } last
            ? (new SourceSpan(path, last.Start, last.End),
                $"The code block {Opening(last)} is not closed{(lexer.HasErrors ? ", or a string in it" : "")}")
            : null;

        string Opening(Token token) => text[token.Start.Offset..(token.End.Offset + 1)];
    }

    private static ProblemException Broken(SourceText source, SourceSpan span, string message, string advice)
    {
        var text = TextOf(source).AsSpan();
        var start = Math.Clamp(span.Start.Offset, 0, text.Length);
        var end = Math.Clamp(span.End.Offset + 1, start, text.Length);
        var where = source.At(Encoding.UTF8.GetByteCount(text[..start]), Math.Max(1, Encoding.UTF8.GetByteCount(text[start..end])));
        return new ProblemException("CG0811", $"The template is broken: {message}", where, advice);
    }

    private static string TextOf(SourceText source) => source.All();

    /// <summary>
    /// Scriban with limits. Where a text gets too long, it cuts the text and says nothing; half a migration must not be written, so that
    /// is an error here.
    /// </summary>
    private sealed class Context : TemplateContext
    {
        public static readonly string TooLong = $"It makes a text of more than {Longest} characters";

        // These members are found by reflection only, which trimming doesn't see: it would take them away in the native build, and the
        // package hides the warnings of that.
        [DynamicDependency(nameof(DateTimeFunctions.Parse), typeof(DateTimeFunctions))]
        [DynamicDependency(nameof(ObjectFunctions.HasKey), typeof(ObjectFunctions))]
        [DynamicDependency(nameof(ObjectFunctions.HasValue), typeof(ObjectFunctions))]
        [DynamicDependency(nameof(StringFunctions.IndexOf), typeof(StringFunctions))]
        [DynamicDependency(nameof(StringFunctions.Slice), typeof(StringFunctions))]
        [DynamicDependency(nameof(TimeSpanFunctions.Zero), typeof(TimeSpanFunctions))]
        [DynamicDependency(DynamicallyAccessedMemberTypes.PublicProperties, typeof(DateTime))]
        [DynamicDependency(DynamicallyAccessedMemberTypes.PublicProperties, typeof(TimeSpan))]
        [DynamicDependency(DynamicallyAccessedMemberTypes.PublicProperties, typeof(KeyValuePair<string, object>))]
        public Context(bool isLimited)
        {
            StrictVariables = true;
            AutoIndent = false;
            NewLine = "\n";
            LoopLimit = isLimited ? 100_000 : 0;
            RecursiveLimit = 100;
            RegexTimeOut = TimeSpan.FromSeconds(1);
            LimitToString = isLimited ? Longest : 0;
        }

        /// <summary>Whether something was left out of what was written: nothing more can be written then.</summary>
        public bool IsCut
        {
            get
            {
                var probe = new StringBuilderOutput();
                PushOutput(probe);
                Write("x");
                PopOutput();
                return probe.Builder is not ['x'];
            }
        }

        /// <inheritdoc/>
        public override object? Evaluate(ScriptNode? scriptNode, bool aliasReturnedFunction)
        {
            var value = base.Evaluate(scriptNode, aliasReturnedFunction);
            return LimitToString > 0 && value is string { Length: > Longest }
                ? throw new ScriptRuntimeException(scriptNode!.Span, TooLong)
                : value;
        }

        /// <inheritdoc/>
        public override string? ObjectToString(object? value, bool nested = false)
        {
            var text = base.ObjectToString(value, nested);
            return LimitToString > 0 && text is { Length: >= Longest }
                ? throw new ScriptRuntimeException(CurrentSpan, TooLong)
                : text;
        }
    }

    /// <summary>Includes what the caller has by name, and nothing else.</summary>
    private sealed class Loader(Func<string, SourceText?>? include, string advice) : ITemplateLoader
    {
        /// <summary>All that were loaded, by path.</summary>
        public Dictionary<string, SourceText> Loaded { get; } = new(StringComparer.Ordinal);

        /// <summary>What is wrong with an included template; Scriban would wrap it into an exception with words of its own.</summary>
        public ProblemException? Problem { get; private set; }

        public string GetPath(TemplateContext context, SourceSpan callerSpan, string templateName)
        {
            try
            {
                var source = include?.Invoke(templateName)
                    ?? throw new ScriptRuntimeException(callerSpan, $"There is no template \"{templateName}\" to include");
                if (Loaded.TryAdd(source.Path, source))
                {
                    Check(source, advice);
                }

                return source.Path;
            }
            catch (ProblemException e)
            {
                Problem = e;
                throw;
            }
        }

        public string Load(TemplateContext context, SourceSpan callerSpan, string templatePath) => TextOf(Loaded[templatePath]);

        public ValueTask<string?> LoadAsync(TemplateContext context, SourceSpan callerSpan, string templatePath) =>
            new(Load(context, callerSpan, templatePath));
    }
}
