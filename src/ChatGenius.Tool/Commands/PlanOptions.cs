using ChatGenius.Db.Migrations;
using McMaster.Extensions.CommandLineUtils;

namespace ChatGenius.Tool.Commands;

/// <summary>The options that <c>apply</c>, <c>plan</c> and <c>script</c> share: which migrations belong to the plan.</summary>
internal sealed class PlanOptions(CommandLineApplication app)
{
    private readonly CommandOption _to = app.Option("--to <NUMBER>", "The last migration to apply", CommandOptionType.SingleValue);

    private readonly CommandOption _allowOutOfOrder = app.Option(
        "--allow-out-of-order", "Also those older than the newest applied", CommandOptionType.NoValue);

    private readonly CommandOption _allowMissing = app.Option(
        "--allow-missing", "Continue though an applied one's file is gone", CommandOptionType.NoValue);

    public PlanRequest Request() => new(_to.Migration(least: 1), _allowOutOfOrder.HasValue(), _allowMissing.HasValue());
}
