using System.Text.RegularExpressions;

namespace ChatGenius.Tool;

/// <summary>Reads option values, and complains about them in one way.</summary>
internal static partial class OptionValues
{
    /// <summary>A whole number, or null where the option was not given.</summary>
    /// <exception cref="ProblemException">CG1006: not a whole number between the bounds, inclusive.</exception>
    public static long? Number(this CommandOption option, long least = 0, long most = long.MaxValue)
    {
        if (option.Value() is not { } text)
        {
            return null;
        }

        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least
            && number <= most
            ? number
            : throw Invalid(option, text, most == long.MaxValue ? $"a whole number, {least} or more"
                : $"a whole number from {least} to {most}");
    }

    /// <summary>A migration by its number, or by its id as every output prints it (<c>0006_add_reactions</c>); null where the option was
    /// not given.</summary>
    /// <exception cref="ProblemException">CG1006: neither.</exception>
    public static long? Migration(this CommandOption option, long least = 0) => option.Value() is { } text
        ? ParseMigration(text) is { } number && number >= least ? number
            : throw Invalid(option, text, "a migration's number, or its id, such as 0006_add_reactions")
        : null;

    /// <summary>The number that a migration's number, id or file name begins with; null where it is none of them.</summary>
    public static long? ParseMigration(string text) =>
        MigrationId().Match(text) is { Success: true } match
            && long.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number : null;

    /// <summary>The name in a migration's id or file name; null where it is a number alone.</summary>
    public static string? MigrationName(string text) =>
        MigrationId().Match(text).Groups[2] is { Success: true, Value: var name } ? name : null;

    [GeneratedRegex(@"^([0-9]+)(?:_(.+?)(?:\.sql)?)?\z")]
    private static partial Regex MigrationId();

    /// <summary>A span of time such as <c>500ms</c>, <c>5s</c>, <c>2m</c>, <c>1h</c>, or null where the option was not given.</summary>
    /// <exception cref="ProblemException">CG1006: not a span of time.</exception>
    public static TimeSpan? Duration(this CommandOption option)
    {
        if (option.Value() is not { } text)
        {
            return null;
        }

        return Output.Duration.TryParse(text, out var duration) ? duration : throw Invalid(option, text, Output.Duration.Expected);
    }

    /// <summary>One of the words that the option's own value names (<c>--format &lt;text,sql&gt;</c>), or null where the option was not
    /// given.</summary>
    /// <exception cref="ProblemException">CG1006: none of them.</exception>
    public static string? OneOf(this CommandOption option) => option.Value() is not { } text ? null
        : option.ValueName!.Split(',').Contains(text, StringComparer.Ordinal) ? text
        : throw Invalid(option, text, "one of " + option.ValueName.Replace(",", ", ", StringComparison.Ordinal));

    private static ProblemException Invalid(CommandOption option, string value, string expected) =>
        new(new Problem("CG1006", $"--{option.LongName} can't be \"{value}\"", Advice: $"Give {expected}."));
}
