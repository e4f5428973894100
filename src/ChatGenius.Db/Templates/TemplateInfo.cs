using System.Text.RegularExpressions;
using ChatGenius.Db.Text;

namespace ChatGenius.Db.Templates;

/// <summary>What a template takes after the migration's name.</summary>
internal enum TemplateArguments
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Columns, if there are any.</summary>
    OptionalColumns,

    /// <summary>At least one column, from the command line or from the migration's name.</summary>
    Columns,

    /// <summary>At least one plain text, such as the values of an enumeration.</summary>
    Words,
}

/// <summary>What happens to a column that is given without a type.</summary>
internal enum MissingTypes
{
    /// <summary>Nothing: the template doesn't need its type, or writes something else without it.</summary>
    Allowed,

    /// <summary>The name tells the type, by the project's habits; the scaffold says so.</summary>
    Guessed,

    /// <summary>It is a problem.</summary>
    Refused,
}

/// <summary>How a value's text becomes a part of SQL.</summary>
internal enum ValueForm
{
    /// <summary>A name, quoted where it needs it.</summary>
    Name,

    /// <summary>SQL, taken as it is given.</summary>
    Sql,

    /// <summary>A text, written as a string constant.</summary>
    Text,

    /// <summary>A whole number from 1 to 2147483647.</summary>
    Number,
}

/// <summary>A value that a template takes: from the migration's name, from <c>--set</c>, or its default.</summary>
/// <param name="Name">As in <c>--set name=…</c>.</param>
/// <param name="Form">How it becomes SQL.</param>
/// <param name="Required">Whether the template can't do without it.</param>
/// <param name="Default">May name other values in braces, as in <c>{table}_{columns}_idx</c>; null without a default.</param>
/// <param name="Description">What it is for.</param>
internal sealed record TemplateValue(string Name, ValueForm Form, bool Required, string? Default, string Description);

/// <summary>A template whose migration follows in a file of its own.</summary>
/// <param name="Template">The template.</param>
/// <param name="Name">The migration's name; may name values in braces.</param>
/// <param name="ForEach">
/// One file for each of <c>indexes</c>, <c>uniques</c>, <c>checks</c>, <c>foreign_keys</c>; one for all columns that are <c>unfilled</c>
/// (rows that are there have no value yet) or, of these, <c>required</c> (they may not be null), or for all <c>columns</c>, if there are
/// any. Null: one file in any case.
/// </param>
internal sealed record FollowUp(string Template, string Name, string? ForEach);

/// <summary>A template and what its header says: the comment that it starts with.</summary>
internal sealed partial record TemplateInfo(string Name, SourceText Source, bool IsBuiltIn)
{
    /// <summary>One line on what it makes.</summary>
    public string Summary { get; private init; } = "";

    /// <summary>A command that uses it.</summary>
    public string? Example { get; private init; }

    /// <summary>What it takes after the name.</summary>
    public TemplateArguments Arguments { get; private init; } = TemplateArguments.OptionalColumns;

    /// <summary>What happens to a column without a type.</summary>
    public MissingTypes Types { get; private init; }

    /// <summary>The columns that it adds by itself where it makes a table; empty where it works on a table that is there.</summary>
    public IReadOnlyList<string> Adds { get; private init; } = [];

    /// <summary>The values that it takes.</summary>
    public IReadOnlyList<TemplateValue> Values { get; private init; } = [];

    /// <summary>The migrations that follow in files of their own.</summary>
    public IReadOnlyList<FollowUp> FollowUps { get; private init; } = [];

    [GeneratedRegex(@"\A\s*\{\{[-~]?\s*##(?<header>.*?)##", RegexOptions.Singleline)]
    private static partial Regex Header { get; }

    [GeneratedRegex(@"^(?<name>[a-z_]+)(?<optional>\?)? \((?<form>name|sql|text|number)\)(?: = (?<default>.+))?$")]
    private static partial Regex ValueDeclaration { get; }

    [GeneratedRegex(
        @"^(?<template>[a-z_0-9]+) as (?<name>[a-z_0-9{}]+)"
        + "(?: for (?<each>indexes|uniques|checks|foreign_keys|unfilled|required|columns))?$")]
    private static partial Regex FollowUpDeclaration { get; }

    /// <summary>Reads a template's header; a template without one takes columns and no values.</summary>
    /// <exception cref="ProblemException">CG0811: a line of the header can't be understood.</exception>
    public static TemplateInfo Read(string name, SourceText source, bool isBuiltIn)
    {
        var info = new TemplateInfo(name, source, isBuiltIn);
        var text = source.All();
        var header = Header.Match(text).Groups["header"];
        if (!header.Success)
        {
            return info;
        }

        var values = new List<TemplateValue>();
        var followUps = new List<FollowUp>();
        var offset = System.Text.Encoding.UTF8.GetByteCount(text.AsSpan(0, header.Index));
        foreach (var line in header.Value.Split('\n'))
        {
            var content = line.Trim();
            if (content.Length > 0)
            {
                info = info.With(content, values, followUps)
                    ?? throw new ProblemException(
                        "CG0811", $"The header of the template {name} has a line that can't be understood",
                        source.At(offset + line.Length - line.TrimStart().Length, content.Length),
                        "It has lines such as: summary: …, example: …, arguments: columns, types: guessed, value table (name): …, "
                        + "then: backfill as backfill_{columns}_in_{table}.");
            }

            offset += System.Text.Encoding.UTF8.GetByteCount(line) + 1;
        }

        return info with { Values = values, FollowUps = followUps };
    }

    private TemplateInfo? With(string line, List<TemplateValue> values, List<FollowUp> followUps)
    {
        // The default of a value may have colons of its own, so its description starts at the first one that a blank follows.
        var colon = line.IndexOf(line.StartsWith("value ", StringComparison.Ordinal) ? ": " : ":", StringComparison.Ordinal);
        if (colon < 0)
        {
            return null;
        }

        var (key, content) = (line[..colon].Trim(), line[(colon + 1)..].Trim());
        switch (key)
        {
            case "summary":
                return this with { Summary = content };
            case "example":
                return this with { Example = content };
            case "arguments":
                TemplateArguments? arguments = content switch
                {
                    "none" => TemplateArguments.None,
                    "optional columns" => TemplateArguments.OptionalColumns,
                    "columns" => TemplateArguments.Columns,
                    "words" => TemplateArguments.Words,
                    _ => null,
                };
                return arguments is { } found ? this with { Arguments = found } : null;
            case "types":
                MissingTypes? types = content switch
                {
                    "allowed" => MissingTypes.Allowed,
                    "guessed" => MissingTypes.Guessed,
                    "refused" => MissingTypes.Refused,
                    _ => null,
                };
                return types is { } missing ? this with { Types = missing } : null;
            case "adds":
                return this with { Adds = content.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) };
            case "then" when FollowUpDeclaration.Match(content) is { Success: true } match:
                var each = match.Groups["each"];
                followUps.Add(new FollowUp(match.Groups["template"].Value, match.Groups["name"].Value, each.Success ? each.Value : null));
                return this;
            case var _ when key.StartsWith("value ", StringComparison.Ordinal)
                && ValueDeclaration.Match(key[6..].Trim()) is { Success: true } match:
                var form = Enum.Parse<ValueForm>(match.Groups["form"].Value, ignoreCase: true);
                var fallback = match.Groups["default"];
                values.Add(new TemplateValue(
                    match.Groups["name"].Value,
                    form,
                    !match.Groups["optional"].Success && !fallback.Success,
                    fallback.Success ? fallback.Value.Trim() : null,
                    content));
                return this;
            default:
                return null;
        }
    }
}
