using Microsoft.Extensions.DependencyInjection;

namespace ChatGenius.Tool.Commands;

internal sealed class ConfigCommand(IServiceProvider services, Report report)
{
    internal static readonly Command Definition = new("config", "Show every setting and where it comes from")
    {
        Json = true,
        Configure = app =>
        {
            var schema = app.Option("--schema", "Print the JSON schema of the settings file instead", CommandOptionType.NoValue);
            return Command.Handle<ConfigCommand>((command, _) => Task.FromResult(command.Run(schema.HasValue())));
        },
        Details =
            """
            A setting is taken from the command line, then from the environment
            (CHATGENIUS_ and its name), then from .env, then from the settings file: first
            from the chosen environment's part, then from the top. Passwords are hidden.
            """,
        Examples =
            """
            chatgenius-db config                     what a run here would use
            chatgenius-db config --env production    what it would use there
            chatgenius-db config --schema            the schema, for an editor
            """,
    };

    private ExitCode Run(bool schema)
    {
        if (schema)
        {
            report.Document(SettingsSchema.Write());
            return ExitCode.Done;
        }

        // The settings are asked for here, because the schema can be printed where they are broken.
        var settings = services.GetRequiredService<Settings>();
        var rows = Rows(settings, services.GetRequiredService<TargetFinder>());
        var width = rows.Max(row => Cells.Width(row.Value ?? "-"));
        foreach (var row in rows)
        {
            report.Result($"{row.Name,-18} {Cells.Pad(row.Value ?? "-", width)}  {report.Style.Dim(row.Origin)}");
        }

        report.Result(new ConfigJson(settings.File?.Path, settings.Environment?.Value, rows), JsonContext.Readable.ConfigJson);
        return ExitCode.Done;
    }

    private static List<SettingJson> Rows(Settings settings, TargetFinder targets)
    {
        var database = targets.Named();
        return
        [
            new("settings_file", settings.File?.Path, settings.File is null ? Setting.Default : "found"),
            new("environment", settings.Environment?.Value, settings.Environment?.Origin ?? Setting.Default),
            new("protected", settings.IsProtected ? "true" : "false", settings.Environment?.Origin ?? Setting.Default),
            new("require_backup", settings.RequiresBackup ? "true" : "false", settings.Environment?.Origin ?? Setting.Default),
            new("database", database?.Url.Display ?? "embedded", database?.Origin ?? Setting.Default),
            .. SettingKey.Everywhere.Select(key => new SettingJson(key.Name, settings[key].Value, settings[key].Origin)),
        ];
    }
}

/// <summary>What <c>config --json</c> prints.</summary>
internal sealed record ConfigJson(string? SettingsFile, string? Environment, IReadOnlyList<SettingJson> Settings);

/// <param name="Value">The value as the settings file would have it; absent where there is none.</param>
internal sealed record SettingJson(string Name, string? Value, string Origin);
