using Microsoft.Extensions.DependencyInjection;

namespace ChatGenius.Tool.Commands;

internal static class CompletionCommand
{
    internal static readonly Command Definition = new("completion", "Print what completes commands in your shell")
    {
        Configure = app =>
        {
            var name = app.Argument("SHELL", "bash, zsh, fish or powershell");
            return (services, _) =>
            {
                if (name.Value is not { } shell || !CompletionScript.Shells.Contains(shell))
                {
                    throw new ProblemException(
                        "CG1010", "completion needs the name of a shell",
                            advice: $"Give one of {string.Join(", ", CompletionScript.Shells)}.");
                }

                services.GetRequiredService<Report>().Document(CompletionScript.Of(shell));
                return Task.FromResult(ExitCode.Done);
            };
        },
        Details =
            """
            Completes commands, options, migrations, templates and environments. The first
            line of what is printed says where to put it.
            """,
        Examples =
            """
            source <(chatgenius-db completion bash)
            chatgenius-db completion fish > ~/.config/fish/completions/chatgenius-db.fish
            """,
    };
}
