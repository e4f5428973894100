namespace ChatGenius.Tool;

/// <summary>What makes a shell ask the tool for candidates.</summary>
internal static class CompletionScript
{
    public static readonly IReadOnlyList<string> Shells = ["bash", "zsh", "fish", "powershell"];

    public static string Of(string shell) => (shell switch
    {
        "bash" => Bash,
        "zsh" => Zsh,
        "fish" => Fish,
        _ => PowerShell,
    }).Replace("TOOL", Cli.Name, StringComparison.Ordinal).Replace("FUNCTION", "_chatgenius_db", StringComparison.Ordinal);

    private const string Bash =
        """
        # TOOL completion bash: put   source <(TOOL completion bash)   into ~/.bashrc
        FUNCTION() {
            local line
            COMPREPLY=()
            while IFS= read -r line; do
                if [[ $line == :files ]]; then
                    compopt -o default
                else
                    COMPREPLY+=("${line%%$'\t'*}")
                fi
            done < <("${COMP_WORDS[0]}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
        }
        complete -F FUNCTION TOOL

        """;

    private const string Zsh =
        """
        #compdef TOOL
        # TOOL completion zsh: put   source <(TOOL completion zsh)   into ~/.zshrc, after compinit
        FUNCTION() {
            local line
            local -a candidates
            for line in "${(@f)$("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
                if [[ $line == :files ]]; then
                    _files
                elif [[ $line == *$'\t'* ]]; then
                    candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
                elif [[ -n $line ]]; then
                    candidates+=("${line//:/\\:}")
                fi
            done
            (( $#candidates )) && _describe TOOL candidates
        }
        compdef FUNCTION TOOL

        """;

    private const string Fish =
        """
        # TOOL completion fish: TOOL completion fish > ~/.config/fish/completions/TOOL.fish
        function FUNCTION
            set -l words (commandline -opc)
            set -l current (commandline -ct)
            for line in ($words[1] complete -- $words[2..-1] "$current" 2>/dev/null)
                if test "$line" = :files
                    __fish_complete_path "$current"
                else
                    echo $line
                end
            end
        end
        complete -c TOOL -f -a '(FUNCTION)'

        """;

    private const string PowerShell =
        """
        # TOOL completion powershell: put   TOOL completion powershell | Out-String | Invoke-Expression   into $PROFILE
        Register-ArgumentCompleter -Native -CommandName TOOL -ScriptBlock {
            param($wordToComplete, $commandAst, $cursorPosition)
            $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { "$_" })
            if ($wordToComplete -eq '') { $words += '' }
            TOOL complete '--' @words 2>$null | ForEach-Object {
                if ($_ -eq ':files') {
                    Get-ChildItem -Name "$wordToComplete*"
                } else {
                    $name, $description = $_ -split "`t", 2
                    if (-not $description) { $description = $name }
                    [System.Management.Automation.CompletionResult]::new($name, $name, 'ParameterValue', $description)
                }
            }
        }

        """;
}
