using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;

namespace ChatGenius.Tool;

/// <summary>What a chosen command does once its options are known.</summary>
internal delegate Task<ExitCode> Handler(IServiceProvider services, CancellationToken cancellationToken);

/// <summary>
/// A command as <see cref="Cli"/> and the help see it. Each file in <c>Commands/</c> defines one, beside the class that does its work.
/// </summary>
/// <param name="Name">What the user types.</param>
/// <param name="Summary">One line, at most 60 characters, without a full stop.</param>
internal sealed record Command(string Name, string Summary)
{
    /// <summary>Declares the command's arguments and options and returns the handler, which closes over them. Runs only when the name was
    /// typed.</summary>
    /// <remarks>
    /// Of McMaster only the builder API is used, and nothing that builds an attribute (<c>IsRequired</c>, <c>Accepts</c>, <c>Values</c>,
    /// <c>Range</c>): those find their constructors by reflection, which trimming removes. <see cref="OptionValues"/> checks values
    /// instead.
    /// </remarks>
    public Func<CommandLineApplication, Handler>? Configure { get; init; }

    /// <summary>
    /// Commands below this one, such as <c>server start</c>; beside <see cref="Configure"/> where it does something by itself.
    /// </summary>
    public IReadOnlyList<Command> Subcommands { get; init; } = [];

    /// <summary>A paragraph or two for the command's help, lines of at most 80 characters.</summary>
    public string? Details { get; init; }

    /// <summary>One call a line, each followed by what it does after at least two spaces; the help ends with them.</summary>
    public string? Examples { get; init; }

    /// <summary>Whether the command takes <c>--json</c>.</summary>
    public bool Json { get; init; }

    /// <summary>Whether unknown arguments are handed on to another program (<c>server psql</c>) instead of being a problem.</summary>
    public bool PassesOn { get; init; }

    /// <summary>What other tools call it; used to point at the right name, never accepted in its place.</summary>
    public IReadOnlyList<string> CalledElsewhere { get; init; } = [];

    /// <summary>A handler that lets the container make the command and its dependencies, and then runs it.</summary>
    public static Handler Handle<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(
        Func<T, CancellationToken, Task<ExitCode>> run)
        where T : class =>
        (services, cancellationToken) => run(ActivatorUtilities.CreateInstance<T>(services), cancellationToken);
}

/// <summary>Commands that the help of the root shows under one title.</summary>
internal sealed record CommandGroup(string Title, IReadOnlyList<Command> Commands);
