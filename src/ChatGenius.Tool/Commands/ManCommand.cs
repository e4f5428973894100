using System.Text;
using Microsoft.Extensions.DependencyInjection;

namespace ChatGenius.Tool.Commands;

internal static class ManCommand
{
    internal static readonly Command Definition = new("man", "Print the manual page")
    {
        Configure = _ => (services, _) =>
        {
            services.GetRequiredService<Report>().Document(Page());
            return Task.FromResult(ExitCode.Done);
        },
        Examples =
            """
            chatgenius-db man | man -l -
            """,
    };

    /// <summary>The help of every command as one page for man(1), section 1.</summary>
    private static string Page()
    {
        var page = new StringBuilder();
        page.Append(
            $".TH CHATGENIUS-DB 1 \"\" \"{Cli.Name} {Cli.Version}\"\n.SH NAME\n{Cli.Name} \\- PostgreSQL migrations of ChatGenius\n");
        Add(page, [], ".SH SYNOPSIS");
        foreach (var words in CommandList.All().SelectMany(group => group.Commands).SelectMany(command => Paths(command, [])))
        {
            Add(page, words, $".SH {Escape(string.Join(' ', words)).ToUpperInvariant()}");
        }

        return page.ToString();
    }

    private static void Add(StringBuilder page, string[] words, string heading)
    {
        var help = HelpText.Of(CommandLine.Parse([.. words, "--help"], CommandList.All()));
        page.Append(heading).Append("\n.nf\n");
        foreach (var line in help.TrimEnd().Split('\n'))
        {
            page.Append(Escape(line)).Append('\n');
        }

        page.Append(".fi\n");
    }

    private static IEnumerable<string[]> Paths(Command command, string[] before) =>
        command.Subcommands.SelectMany(below => Paths(below, [.. before, command.Name])).Prepend([.. before, command.Name]);

    /// <summary>A line of text for roff: no escape, no hyphen that becomes a dash, no request.</summary>
    private static string Escape(string line)
    {
        var text = line.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal);
        return text.StartsWith('.') || text.StartsWith('\'') ? $"\\&{text}" : text;
    }
}
