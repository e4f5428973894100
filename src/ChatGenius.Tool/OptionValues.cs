using System.Globalization;
using ChatGenius.Db;
using ChatGenius.Tool.Output;
using McMaster.Extensions.CommandLineUtils;

namespace ChatGenius.Tool;

/// <summary>Reads option values, and complains about them in one way.</summary>
internal static class OptionValues
{
    /// <summary>A whole number, or null where the option was not given.</summary>
    /// <exception cref="ProblemException">CG1006: not a whole number between the bounds, inclusive.</exception>
    public static long? Number(this CommandOption option, long least = 0, long most = long.MaxValue)
    {
        if (option.Value() is not { } text)
        {
            return null;
        }

        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw Invalid(option, text, most == long.MaxValue ? $"a whole number, {least} or more" : $"a whole number from {least} to {most}");
    }

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

    /// <summary>One of several words, or null where the option was not given.</summary>
    /// <exception cref="ProblemException">CG1006: none of them.</exception>
    public static string? OneOf(this CommandOption option, params string[] words)
    {
        if (option.Value() is not { } text)
        {
            return null;
        }

        return words.Contains(text, StringComparer.Ordinal) ? text : throw Invalid(option, text, "one of " + string.Join(", ", words));
    }

    private static ProblemException Invalid(CommandOption option, string value, string expected) =>
        new(new Problem("CG1006", $"--{option.LongName} can't be \"{value}\"", Advice: $"Give {expected}."));
}
